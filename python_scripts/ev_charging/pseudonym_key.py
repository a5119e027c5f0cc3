"""The key of the pseudonyms: a dbt-duckdb plugin that hands it to DuckDB without writing it down.

dbt prints what Jinja and SQL hold into target/ and logs/. A variable of the session is in neither,
nor in the database file.
"""

import os
import secrets
from functools import cache
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError

VARIABLE = "EV_PSEUDONYM_KEY"
# As long as the hash: RFC 2104 discourages less.
MIN_BYTES = 32


class Plugin(BasePlugin):
    """Gives every cursor the master key and the word of where it comes from."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Read the key, before a database is opened.

        Raises:
            DbtRuntimeError: the key in the environment is too short.
        """
        self._key, self._source = master_key(os.environ.get(VARIABLE))

    def configure_cursor(self, cursor: Any) -> None:
        """Set the variables of a new session; parameters are bound, so no statement has the key."""
        cursor.execute("set variable pseudonym_master_key = ?", [self._key])
        cursor.execute("set variable pseudonym_key_source = ?", [self._source])


def master_key(text: str | None) -> tuple[bytes, str]:
    """Return the master key and its source, `environment` or `ephemeral`.

    Without a text the key is random: the same for the whole process, and known to nobody.

    Args:
        text: the key as the environment has it, None if it has none.

    Raises:
        DbtRuntimeError: the text has fewer than 32 bytes in UTF-8.
    """
    if text is None:
        return _ephemeral_key(), "ephemeral"
    key = os.fsencode(text)
    if len(key) < MIN_BYTES:
        raise DbtRuntimeError(
            f"{VARIABLE} has {len(key)} bytes and needs {MIN_BYTES} or more. Draw one with"
            " `openssl rand -hex 32`, or unset it for a key of this build alone."
        )
    return key, "environment"


@cache
def _ephemeral_key() -> bytes:
    return secrets.token_bytes(MIN_BYTES)
