"""What a build has left in the warehouse, as plain text of at most 100 columns."""

import os
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from ev_charging.load_profiles import LOAD_PROFILES
from ev_charging.warehouse import read_mart

COLUMNS = 100

_SCHEMAS = ("core", "load", "quality")
_REASONS_PER_LINE = 3
# More reasons than this are counted in one line, so that the summary stays on one screen.
_REASON_LINES = 4


@dataclass(frozen=True)
class Section:
    """A heading and the lines below it."""

    heading: str
    lines: list[str]


@dataclass(frozen=True)
class Places:
    """Where the results of a build are: DuckDB file, folder of the plots, page of the docs site."""

    warehouse: Path
    plots: Path
    docs: Path


def build_summary(
    connection: duckdb.DuckDBPyConnection, load_profile: str, places: Places
) -> list[Section]:
    """Return the sections of the summary, in the order to read them.

    Raises WarehouseError if a mart is missing.
    """
    return [
        Section("Rows per mart", rows_per_mart(connection)),
        Section("Rejected rows by feed and reason", rejected_rows(connection)),
        Section("Feeds, in rows", feed_reconciliation(connection)),
        Section("Charging sessions", session_figures(connection)),
        Section(
            f"Load, profile {load_profile}: {LOAD_PROFILES[load_profile]}",
            load_figures(connection, load_profile),
        ),
        Section("Where to look", place_lines(places)),
    ]


def rows_per_mart(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return a line per table of the schemas core, load and quality with its number of rows."""
    tables = read_mart(
        connection,
        """
        select table_schema, table_name
        from information_schema.tables
        where table_catalog = current_database() and list_contains(?, table_schema)
        order by table_schema, table_name
        """,
        [list(_SCHEMAS)],
    )
    names = [f"{table.table_schema}.{table.table_name}" for table in tables.itertuples()]
    counts = [
        int(
            read_mart(
                connection,
                f'select count(*) from "{table.table_schema}"."{table.table_name}"',
            ).iat[0, 0]
        )
        for table in tables.itertuples()
    ]
    if not names:
        return ["none"]
    width = max(len(name) for name in names)
    return [f"{name:<{width}} {count:>14,}" for name, count in zip(names, counts, strict=True)]


def rejected_rows(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the number of rejected rows per feed and reason, most frequent reasons first."""
    reasons = read_mart(
        connection,
        """
        select feed, rejection_reason, count(*) as rows
        from quality.rejected_rows
        group by feed, rejection_reason
        order by feed, rows desc, rejection_reason
        """,
    )
    lines = []
    for feed, of_feed in reasons.groupby("feed"):
        lines.append(f"{feed}: {_rows(int(of_feed['rows'].sum()))}")
        lines += [f"  {line}" for line in _reason_lines(of_feed)]
    return lines or ["none"]


def feed_reconciliation(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return a line per feed: rows read and where each of them ended."""
    feeds = read_mart(
        connection,
        """
        select
            feed, rows_read, accepted_rows, duplicate_rows, superseded_rows, rejected_rows,
            unaccounted_rows
        from quality.feed_reconciliation
        order by feed
        """,
    )
    if feeds.empty:
        return ["none"]
    headings = [name.removesuffix("_rows").removeprefix("rows_") for name in feeds.columns]
    table = [headings, *([feed, *map(_count, counts)] for feed, *counts in feeds.to_numpy())]
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    return [
        " ".join(
            [
                f"{feed:<{widths[0]}}",
                *(f"{c:>{w + 1}}" for c, w in zip(counts, widths[1:], strict=True)),
            ]
        )
        for feed, *counts in table
    ]


def session_figures(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return number, energy and users of the charging sessions in core."""
    sessions = read_mart(
        connection,
        """
        select
            count(*) as sessions,
            coalesce(count_if(outcome = 'open'), 0) as open_sessions,
            coalesce(sum(energy_kwh), 0) as energy_kwh,
            count(distinct user_key) as session_users,
            (select count(*) from core.dim_user where source_system <> 'unknown') as users
        from core.fct_charging_sessions
        """,
    ).iloc[0]
    return _figures(
        [
            ("sessions", f"{int(sessions.sessions):,}", f"{int(sessions.open_sessions):,} open"),
            ("energy", f"{sessions.energy_kwh:,.1f} kWh", ""),
            ("users", f"{int(sessions.users):,}", f"{int(sessions.session_users):,} with sessions"),
        ]
    )


def load_figures(connection: duckdb.DuckDBPyConnection, load_profile: str) -> list[str]:
    """Return the headline KPIs of a load profile, energy in kWh."""
    rows = read_mart(
        connection, "select * from load.load_kpis where load_profile = ?", [load_profile]
    )
    if rows.empty:
        return ["no hourly loads"]
    kpis = rows.iloc[0]
    load_factor = "" if pd.isna(kpis.load_factor) else f"load factor {kpis.load_factor:.1%}"
    return _figures(
        [
            (
                "energy",
                f"{kpis.total_energy_kwh:,.1f} kWh",
                f"{kpis.first_date:%Y-%m-%d} to {kpis.last_date:%Y-%m-%d},"
                f" {int(kpis.days):,} days, {int(kpis.users):,} users",
            ),
            (
                "mean day",
                f"{kpis.avg_daily_energy_kwh:,.1f} kWh",
                f"last 7 days {kpis.avg_daily_energy_last_7_days_kwh:,.1f} kWh",
            ),
            ("peak day", f"{kpis.peak_daily_energy_kwh:,.1f} kWh", f"{kpis.peak_date:%Y-%m-%d}"),
            (
                "peak hour",
                f"{kpis.peak_hourly_load_kwh:,.1f} kWh",
                f"{kpis.peak_hour_local_at:%Y-%m-%d %H:%M} local time",
            ),
            ("hours with charging", f"{kpis.utilization:.1%}", load_factor),
        ]
    )


def place_lines(places: Places) -> list[str]:
    """Return where warehouse, plots and docs site are, or how to get the missing ones."""
    has_plots = any(places.plots.glob("*.png"))
    return [
        f"warehouse  {_short(places.warehouse)}",
        f"plots      {_short(places.plots) if has_plots else 'not drawn yet: make build'}",
        f"docs site  {_short(places.docs)} (make docs)"
        if places.docs.is_file()
        else "docs site  not generated yet: make build",
    ]


def _reason_lines(reasons: pd.DataFrame) -> list[str]:
    shown = reasons.head(_REASONS_PER_LINE * _REASON_LINES)
    cells = [f"{row.rejection_reason:<20} {row.rows:>8,}" for row in shown.itertuples()]
    lines = [
        "   ".join(cells[start : start + _REASONS_PER_LINE])
        for start in range(0, len(cells), _REASONS_PER_LINE)
    ]
    left = reasons.iloc[len(shown) :]
    if not left.empty:
        lines.append(f"and {len(left):,} more reasons: {_rows(int(left['rows'].sum()))}")
    return lines


def _figures(figures: list[tuple[str, str, str]]) -> list[str]:
    width = max(len(value) for _, value, _ in figures)
    return [f"{name:<20} {value:>{width}}   {remark}".rstrip() for name, value, remark in figures]


def _count(count: int | None) -> str:
    # A count that is missing is a fault of the feed's checks: show it instead of hiding it as zero.
    return "unknown" if pd.isna(count) else f"{int(count):,}"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _short(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path.resolve()) if relative.startswith("..") else relative
