"""Releases as a partner finds them: a folder of CSV files and a manifest."""

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

PSEUDONYM = "vehicle_pseudonym"


@dataclass(frozen=True)
class Release:
    """One delivered folder; tables hold texts in the order of the files, manifest the file's."""

    partner: str
    period: str
    epoch: str
    tables: dict[str, pd.DataFrame]
    manifest: str = ""

    @property
    def name(self) -> str:
        """Partner, period and epoch, for sentences."""
        return f"{self.partner} {self.period} (epoch {self.epoch})"


def read_release(folder: Path) -> Release:
    """Read a folder that holds a manifest.json."""
    text = (folder / "manifest.json").read_text(encoding="utf-8")
    manifest = json.loads(text)
    tables = {
        path.stem: pd.read_csv(path, dtype=str, keep_default_na=False, skip_blank_lines=False)
        for path in sorted(folder.glob("*.csv"))
    }
    named = (str(manifest[name]) for name in ("partner", "period", "epoch"))
    return Release(*named, tables, text)


def read_releases(root: Path) -> list[Release]:
    """Read all releases below a folder, in order of their paths."""
    return [read_release(path.parent) for path in sorted(root.rglob("manifest.json"))]


def write_release(root: Path, release: Release) -> None:
    """Write a release as it would be delivered, without asking whether it should be."""
    folder = root / release.partner / release.period / release.epoch
    folder.mkdir(parents=True)
    for extract, table in release.tables.items():
        with (folder / f"{extract}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(table.columns)
            writer.writerows(table.itertuples(index=False))
    about = {name: getattr(release, name) for name in ("partner", "period", "epoch")}
    about |= {"remark": release.manifest} if release.manifest else {}
    (folder / "manifest.json").write_text(json.dumps(about), encoding="utf-8")


def row_sets(table: pd.DataFrame) -> dict[str, frozenset]:
    """The set of rows of each pseudonym: what the partner knows of one vehicle."""
    values = [column for column in table.columns if column != PSEUDONYM]
    rows = zip(table[PSEUDONYM], table[values].itertuples(index=False, name=None), strict=True)
    sets: dict[str, set] = {}
    for pseudonym, row in rows:
        sets.setdefault(pseudonym, set()).add(row)
    return {pseudonym: frozenset(rows) for pseudonym, rows in sets.items()}


def vehicle_tables(releases: Iterable[Release]) -> list[tuple[Release, str, pd.DataFrame]]:
    """Tables with a row per vehicle, each with its release and the name of its extract."""
    return [
        (release, extract, table)
        for release in releases
        for extract, table in release.tables.items()
        if PSEUDONYM in table
    ]


def aggregate_tables(releases: Iterable[Release]) -> list[tuple[Release, str, pd.DataFrame]]:
    """Tables of figures about many vehicles, each with its release and the name of its extract."""
    return [
        (release, extract, table)
        for release in releases
        for extract, table in release.tables.items()
        if PSEUDONYM not in table
    ]
