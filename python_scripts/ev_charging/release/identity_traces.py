"""Finds ids, and plain hashes of ids, in texts that are to be released."""

import hashlib
import re
from collections.abc import Iterable, Iterator

_HASHES = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
# 64 bits of a hash: two of them are never the same by chance, and a shortened hash has them still.
_HASH_DIGITS = 16
_HASH = re.compile(f"[0-9A-F]{{{_HASH_DIGITS},}}")
_WORDS = re.compile(r"\w+")
# Ids as short as this are found as whole words only: a few digits stand in any pseudonym by chance.
_SHORT = 11
# A number as short as this is also a part of dates and classes: it counts as a whole text only.
_WORD = 4


class IdentityTraces:
    """Knows ids and finds them, and plain hashes of them, in texts, in whatever case."""

    def __init__(self, ids: Iterable[str]):
        """Learn the ids, as the warehouse or a feed has them."""
        self._ids = {text for id_ in ids if (text := id_.strip().upper())}
        self._long_lengths = {len(id_) for id_ in self._ids if len(id_) > _SHORT}
        self._longest = max(map(len, self._ids), default=0)

    def found_in(self, texts: Iterable[str]) -> dict[str, str]:
        """Return the texts that tell of somebody, each with what it holds: `an id` or `a hash`."""
        distinct = set(texts)
        found = {text: "an id" for text in distinct if self._holds_an_id(text.strip().upper())}
        starts: dict[str, list[str]] = {}
        for text in distinct - set(found):
            for match in _HASH.findall(text.upper()):
                starts.setdefault(match[:_HASH_DIGITS], []).append(text)
        if starts:
            for digits in self._hashes():
                for text in starts.get(digits, ()):
                    found[text] = "a plain hash of an id"
        return found

    def _holds_an_id(self, text: str) -> bool:
        return (
            text in self._ids
            or any(part in self._ids for part in self._long_parts(text))
            or any(part in self._ids for part in self._word_parts(text))
        )

    def _long_parts(self, text: str) -> Iterator[str]:
        for length in self._long_lengths:
            for start in range(len(text) - length + 1):
                yield text[start : start + length]

    def _word_parts(self, text: str) -> Iterator[str]:
        """Yield the parts from the begin of a word to the end of one, numbers apart."""
        words = list(_WORDS.finditer(text))
        for place, first in enumerate(words):
            for last in words[place:]:
                part = text[first.start() : last.end()]
                if len(part) > self._longest:
                    break
                if len(part) >= _WORD and re.search(r"[^\W\d_]", part):
                    yield part

    def _hashes(self) -> Iterator[str]:
        """Yield the first digits of the hashes of all ids, in capitals and in small letters."""
        for id_ in self._ids:
            for spelling in {id_, id_.lower()}:
                content = spelling.encode()
                for name in _HASHES:
                    yield hashlib.new(name, content).hexdigest()[:_HASH_DIGITS].upper()
