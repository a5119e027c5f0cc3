"""What a build has left in the warehouse, as plain text of at most 100 columns."""

import os
import textwrap
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from ev_charging.experiment.wording import percent
from ev_charging.load_profiles import LOAD_PROFILES
from ev_charging.warehouse import read_mart

COLUMNS = 100

_SCHEMAS = ("core", "load", "experiment", "quality")
_SCHEMA_WIDTH = max(map(len, _SCHEMAS)) + 2
_COUNT = 'select count(*) from "{}"."{}"'
# More reasons than this are counted together, so that a feed keeps to one line.
_REASONS = 2
# More comparisons than this are counted; the whole of each is in the marts.
_COMPARISONS = 3
_REASON_LINES = 3
_NAIVE = "naive_welch"
# What stands before each line of a section.
_INDENT = 2


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
        Section("Charging sessions by source", session_figures(connection)),
        Section(
            f"Load, profile {load_profile}: {LOAD_PROFILES[load_profile]}",
            load_figures(connection, load_profile),
        ),
        Section("Experiments", experiment_figures(connection)),
        Section("Where to look", place_lines(places)),
    ]


def rows_per_mart(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the tables of each schema with marts and their number of rows."""
    tables = read_mart(
        connection,
        """
        select table_schema, table_name
        from information_schema.tables
        where table_catalog = current_database() and list_contains(?, table_schema)
        order by list_position(?, table_schema), table_name
        """,
        [list(_SCHEMAS), list(_SCHEMAS)],
    )
    lines = []
    for schema, of_schema in tables.groupby("table_schema", sort=False):
        counts = [
            f"{table} {int(read_mart(connection, _COUNT.format(schema, table)).iat[0, 0]):,}"
            for table in of_schema["table_name"]
        ]
        lines += textwrap.wrap(
            # A count stays on the line of its table.
            ", ".join(count.replace(" ", "\u00a0") for count in counts),
            COLUMNS - _INDENT,
            initial_indent=f"{schema:<{_SCHEMA_WIDTH}}",
            subsequent_indent=" " * _SCHEMA_WIDTH,
        )
    return [line.replace("\u00a0", " ") for line in lines] or ["none"]


def rejected_rows(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return a line per feed: its rejected rows and the most frequent reasons."""
    reasons = read_mart(
        connection,
        """
        select feed, rejection_reason, count(*) as rows
        from quality.rejected_rows
        group by feed, rejection_reason
        order by feed, rows desc, rejection_reason
        """,
    )
    feeds = [(feed, of_feed) for feed, of_feed in reasons.groupby("feed")]
    if not feeds:
        return ["none"]
    width = max(len(feed) for feed, _ in feeds)
    return [
        f"{feed:<{width}} {int(of_feed['rows'].sum()):>8,}   {_reasons(of_feed)}"
        for feed, of_feed in feeds
    ]


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
    return _aligned(table)


def session_figures(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return number, energy and users of the charging sessions in core, a line per source."""
    sources = read_mart(
        connection,
        """
        with

        sessions as (

            select
                source_system,
                count(*) as sessions,
                count_if(outcome = 'open') as open_sessions,
                sum(energy_kwh) as energy_kwh,
                count(distinct user_key) as session_users
            from core.fct_charging_sessions
            group by source_system

        ),

        users as (

            select
                source_system,
                count(*) as users
            from core.dim_user
            where source_system <> 'unknown'
            group by source_system

        )

        select
            source_system,
            coalesce(sessions, 0) as sessions,
            coalesce(open_sessions, 0) as open_sessions,
            coalesce(energy_kwh, 0) as energy_kwh,
            coalesce(session_users, 0) as session_users,
            coalesce(users, 0) as users
        from sessions
        full join users using (source_system)
        order by source_system
        """,
    )
    rows = [
        [
            row.source_system,
            f"{int(row.sessions):,} sessions",
            f"{int(row.open_sessions):,} open",
            f"{row.energy_kwh:,.1f} kWh",
            f"{int(row.users):,} users",
            f"{int(row.session_users):,} with sessions",
        ]
        for row in sources.itertuples()
    ]
    return _aligned(rows) or ["none"]


def load_figures(connection: duckdb.DuckDBPyConnection, load_profile: str) -> list[str]:
    """Return the headline KPIs of a load profile, energy in kWh."""
    rows = read_mart(
        connection, "select * from load.load_kpis where load_profile = ?", [load_profile]
    )
    if rows.empty:
        return ["no hourly loads"]
    kpis = rows.iloc[0]
    load_factor = "" if pd.isna(kpis.load_factor) else f"load factor {percent(kpis.load_factor)}"
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
            ("hours with charging", percent(kpis.utilization), load_factor),
        ]
    )


def experiment_figures(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the decision of each comparison and its reason, and the effects on its primaries.

    An effect has the interval of the method that decided, and beside it the one that treats
    sessions as independent, for comparison only. Of several comparisons the first are shown, each
    with a line of its reason and the primary that the decision rests on.
    """
    decisions = read_mart(
        connection,
        """
        select
            experiment_id, treatment_variant, state, reason, decision_method, primary_metric
        from experiment.experiment_decision
        order by experiment_id, treatment_variant
        """,
    )
    effects = read_mart(
        connection,
        """
        select
            experiment_id, treatment_variant, metric, method, relative_difference,
            relative_ci_low, relative_ci_high
        from experiment.experiment_results
        where role = 'primary'
        order by experiment_id, treatment_variant, metric, method
        """,
    )
    is_alone = len(decisions) == 1
    lines = []
    for decision in decisions.head(_COMPARISONS).itertuples():
        compared = effects[
            (effects["experiment_id"] == decision.experiment_id)
            & (effects["treatment_variant"] == decision.treatment_variant)
            & (is_alone | (effects["metric"] == decision.primary_metric))
        ]
        lines += textwrap.wrap(
            f"{decision.experiment_id}, {decision.treatment_variant}: {decision.state}."
            f" {decision.reason}",
            COLUMNS - _INDENT,
            subsequent_indent="  ",
            max_lines=_REASON_LINES if is_alone else 1,
            placeholder=" ...",
        )
        lines += _effects(compared, decision.decision_method)
    left = len(decisions) - _COMPARISONS
    if left > 0:
        lines.append(f"{left:,} more in experiment.experiment_decision")
    return lines or ["none"]


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


def _reasons(reasons: pd.DataFrame) -> str:
    shown = [f"{row.rejection_reason} {row.rows:,}" for row in reasons.head(_REASONS).itertuples()]
    left = len(reasons) - len(shown)
    if left:
        shown.append("1 more reason" if left == 1 else f"{left:,} more reasons")
    return ", ".join(shown)


def _effects(effects: pd.DataFrame, method: str) -> list[str]:
    """Return a line per metric for which the method has a relative difference."""
    decided = effects[effects["method"] == method].dropna(subset=["relative_difference"])
    return [
        f"  {row.metric:<18} {method} {_signed(row.relative_difference)},"
        f" {_interval(effects, row.metric, method)};"
        f" naive: {_interval(effects, row.metric, _NAIVE)}"
        for row in decided.itertuples()
    ]


def _interval(effects: pd.DataFrame, metric: str, method: str) -> str:
    rows = effects[(effects["metric"] == metric) & (effects["method"] == method)]
    ends = rows.dropna(subset=["relative_ci_low"])
    if ends.empty:
        return "no interval"
    low, high = ends[["relative_ci_low", "relative_ci_high"]].iloc[0]
    return f"{_signed(low)} to {_signed(high)}"


def _signed(change: float) -> str:
    return f"{100 * change:+.1f} %"


def _aligned(table: list[list[str]]) -> list[str]:
    """Return the rows of a table as lines, the first column on the left, others on the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join([f"{first:<{widths[0]}}", *map(str.rjust, others, widths[1:])])
        for first, *others in table
    ]


def _figures(figures: list[tuple[str, str, str]]) -> list[str]:
    width = max(len(value) for _, value, _ in figures)
    return [f"{name:<20} {value:>{width}}   {remark}".rstrip() for name, value, remark in figures]


def _count(count: int | None) -> str:
    # A count that is missing is a fault of the feed's checks: show it instead of hiding it as zero.
    return "unknown" if pd.isna(count) else f"{int(count):,}"


def _short(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path.resolve()) if relative.startswith("..") else relative
