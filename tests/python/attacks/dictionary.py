"""Guessing the ids behind pseudonyms."""

import base64
import hashlib
import hmac
import itertools
import re
import string
from collections.abc import Callable, Iterator

from attacks.feeds import RawFeeds
from attacks.releases import Release

FAMILIES = sorted(hashlib.algorithms_guaranteed)
# The families that people take without thinking are tried with more salts.
USUAL = ("md5", "sha1", "sha256")
SEPARATORS = ("", "-", "_", ":", "|", "/", " ", "\x1f")
WORDS = (
    *("salt", "pepper", "secret", "key", "password", "changeme", "test", "default", "dbt"),
    *("duckdb", "telematics", "vehicle", "vehicles", "client", "vin", "ev_charging", "extract"),
    *("extracts", "partner", "pseudonym", "pseudonym_master_key", "EV_PSEUDONYM_KEY"),
)
# Ids that the long searches are tried on: one that is found tells the salt of all.
PROBES = 3
MIN_PART = 5
HEX = re.compile(r"[0-9a-fA-F]{10,}|(?=.*[a-fA-F])(?=.*\d)[0-9a-fA-F]{6,9}")
ENCODED = re.compile(r"(?=.*\d)(?=.*[A-Z])[\w+/-]{16,}={0,6}")


def parts_of_ids(releases: list[Release], feeds: RawFeeds) -> list[str]:
    """Ids, or pieces of at least five characters of ids, in a cell."""
    ids = "\n".join(one.upper() for one in _ids(feeds))
    found = []
    for release, extract, column, texts in _columns(releases):
        pieces = {piece for text in texts for piece in re.split(r"[^0-9A-Z]+", text.upper())}
        pieces = {piece for piece in pieces if len(piece) >= MIN_PART}
        hits = {piece for piece in pieces if piece in ids}
        # Digits, or a word, can be part of an id by chance: only a whole column of them tells.
        telling = {hit for hit in hits if re.search(r"\d", hit) and re.search("[A-Z]", hit)}
        if telling or (hits == pieces and len(hits) >= 5):
            found.append(f"{release.name}: {extract}.{column} holds parts of {len(hits)} ids")
    return found


def hashes_of_ids(releases: list[Release], feeds: RawFeeds) -> list[str]:
    """Texts that are a hash of an id: all families of hashlib, with and without a short salt."""
    known = {text for release in releases for text in (release.partner, release.period)}
    known |= {release.epoch for release in releases}
    columns = list(_columns(releases))
    texts = {text for *_, texts in columns for text in texts}
    vehicles = feeds.vehicles["vehicle_id"].tolist()
    # An id that was not released proves nothing, so probes are spread over all vehicles.
    probes = vehicles[:: len(vehicles) // PROBES]
    cracked = crack(texts, _ids(feeds), probes, sorted(known))
    if cracked is None:
        return []
    text, how = cracked
    return [
        f"{release.name}: {extract}.{column} is {how}"
        for release, extract, column, texts in columns
        if text in texts
    ]


def crack(
    texts: set[str], ids: list[str], probes: list[str], known: list[str]
) -> tuple[str, str] | None:
    """The first of some texts that is made of an id, and how.

    All ids are hashed as they are and in the forms that they may have had; the probes also with
    keys and salts, among them the words that are known.
    """
    targets = _Targets(texts)
    words = list(dict.fromkeys(form for one in (*WORDS, *known) for form in (one, one.upper())))
    variants = [form for one in ids for form in _variants(one)]
    once, keyed = _digests(), _keyed_digests(words)
    tries = [
        ("an id", once | _repeated_digests(), lambda _: variants),
        ("an id", keyed, lambda _: ids),
        ("an id with a known word", once, lambda _: _with_words(probes, words)),
        ("an id with a short salt", once, lambda family: _with_salts(probes, family in USUAL)),
    ]
    for how, digests, messages in tries:
        for family, digest in digests.items():
            for message in messages(family):
                if text := targets.told_by(digest(message.encode())):
                    return text, f"{family} of {how}"
    return None


class _Targets:
    """Texts that may be digests, to be compared with whole digests and with their ends."""

    def __init__(self, texts: set[str]) -> None:
        self.hexadecimal = {text.lower(): text for text in texts if HEX.fullmatch(text)}
        self.encoded = {
            text: text
            for text in texts
            if ENCODED.fullmatch(text) and text.lower() not in self.hexadecimal
        }
        self.lengths = {len(text) for text in (*self.hexadecimal, *self.encoded)}

    def told_by(self, digest: bytes) -> str | None:
        text = digest.hex()
        for length in self.lengths:
            for part in (text[:length], text[-length:]):
                if part in self.hexadecimal:
                    return self.hexadecimal[part]
        if not self.encoded:
            return None
        for encode in (base64.b64encode, base64.urlsafe_b64encode, base64.b32encode):
            text = encode(digest).decode()
            for length in self.lengths:
                if text[:length] in self.encoded:
                    return text[:length]
        return None


def _digests() -> dict[str, Callable[[bytes], bytes]]:
    def once(family: str) -> Callable[[bytes], bytes]:
        make = getattr(hashlib, family)
        size = (64,) if family.startswith("shake") else ()
        return lambda message: make(message).digest(*size)

    return {family: once(family) for family in FAMILIES}


def _repeated_digests() -> dict[str, Callable[[bytes], bytes]]:
    def twice(family: str) -> Callable[[bytes], bytes]:
        make = getattr(hashlib, family)
        return lambda message: make(make(message).hexdigest().encode()).digest()

    return {f"twice {family}": twice(family) for family in USUAL}


def _keyed_digests(keys: list[str]) -> dict[str, Callable[[bytes], bytes]]:
    def keyed(family: str, key: str) -> Callable[[bytes], bytes]:
        return lambda message: hmac.digest(key.encode(), message, family)

    return {
        f"HMAC-{family} with key {key!r}": keyed(family, key)
        for family in USUAL
        for key in ("", "\0" * 32, *keys)
    }


def _with_words(ids: list[str], words: list[str]) -> Iterator[str]:
    for one, word, separator in itertools.product(ids, words, SEPARATORS):
        yield from (word + separator + one, one + separator + word)


def _with_salts(ids: list[str], is_usual: bool) -> Iterator[str]:
    letters = string.ascii_lowercase + string.digits
    for length in range(1, 4 if is_usual else 3):
        for salt in map("".join, itertools.product(letters, repeat=length)):
            for one in ids:
                yield from (salt + one, one + salt)
    for number in range(1_000, 10_000 if is_usual else 1_000):
        for one in ids:
            yield from (f"{number}{one}", f"{one}{number}")


def _ids(feeds: RawFeeds) -> list[str]:
    """Ids of vehicles and clients, also as delivered."""
    vehicles = feeds.vehicles
    named = [vehicles[column].dropna() for column in ("vehicle_id", "delivered_id", "client_id")]
    recorded = [rows["vehicle_id"] for rows in (feeds.drives, feeds.charges)]
    return sorted({one for column in (*named, *recorded) for one in column if one})


def _variants(one: str) -> Iterator[str]:
    """An id in the forms that a careless join gives it, and its parts."""
    for form in (one, one.upper(), one.lower(), one.title(), one[::-1]):
        yield from (form, f" {form}", f"{form} ", f" {form} ", f"{form}\n", f'"{form}"')
    for length in range(4, len(one)):
        yield from (one[:length], one[-length:])


def _columns(releases: list[Release]) -> Iterator[tuple[Release, str, str, list[str]]]:
    for release in releases:
        for extract, table in release.tables.items():
            for column in table:
                yield release, extract, column, list(table[column].unique())
        yield release, "manifest", "json", re.findall(r"[\w+/=-]+", release.manifest)
