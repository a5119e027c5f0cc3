"""A release: what one partner receives of one month."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb

from ev_charging.release.csv_text import csv_bytes
from ev_charging.release.extract_table import ExtractTable, read_extract
from ev_charging.release.manifest import MANIFEST_FILE, manifest_bytes
from ev_charging.release.partner_list import Delivery
from ev_charging.release.provenance import Provenance


@dataclass(frozen=True)
class Release:
    """The tables that a partner receives of a month, and what they were made with."""

    partner: str
    period: str
    provenance: Provenance
    tables: list[ExtractTable]

    @property
    def place(self) -> Path:
        """Folder of the release, seen from the output folder."""
        return Path(self.partner, self.period, self.provenance.epoch)

    @property
    def rows(self) -> int:
        """Number of rows of all files."""
        return sum(len(table.rows) for table in self.tables)

    @cached_property
    def contents(self) -> dict[str, bytes]:
        """What each file holds, by its name, the manifest last."""
        tables = {
            table.file_name: (table, csv_bytes([table.columns, *table.rows]))
            for table in self.tables
        }
        manifest = manifest_bytes(self.partner, self.period, self.provenance, tables)
        return {name: csv for name, (_, csv) in tables.items()} | {MANIFEST_FILE: manifest}


def read_release(
    connection: duckdb.DuckDBPyConnection,
    partner: str,
    period: str,
    provenance: Provenance,
    deliveries: list[Delivery],
) -> Release:
    """Return what a partner receives of a month.

    Raises:
        Refusal: an extract can't be read.
    """
    tables = [read_extract(connection, delivery, partner, period) for delivery in deliveries]
    return Release(partner, period, provenance, tables)
