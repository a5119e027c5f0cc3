"""What a build has left in the warehouse, as plain text of at most 100 columns."""

import os
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from ev_charging.experiment.wording import percent
from ev_charging.fleet_summary import fleet_figures
from ev_charging.load_profiles import LOAD_PROFILES
from ev_charging.network_summary import network_figures
from ev_charging.telematics_summary import telematics_figures
from ev_charging.warehouse import read_mart

COLUMNS = 100

_SCHEMAS = (
    "core",
    "load",
    "experiment",
    "reliability",
    "fleet",
    "mobility",
    "extracts",
    "quality",
)
_COUNT = 'select count(*) from "{}"."{}"'
# More comparisons than this are counted; the whole of each is in the marts.
_COMPARISONS = 3
_REASON_LINES = 2
_NAIVE = "naive_welch"
# Of the feeds with a fault those with most rows that don't count are shown.
_FEEDS = 3
_NOT_THERE = "not there yet (make build)"
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
        Section("Rows in marts", rows_per_schema(connection)),
        feed_reconciliation(connection),
        Section("Charging sessions by source", session_figures(connection)),
        Section(
            f"Load, profile {load_profile}: {LOAD_PROFILES[load_profile]}",
            load_figures(connection, load_profile),
        ),
        Section("Charging network", network_lines(connection)),
        Section("Simulated fleets", fleet_lines(connection)),
        Section("Driving and charging logs", telematics_lines(connection)),
        Section("Experiments", experiment_figures(connection)),
        Section("Where to look", place_lines(places)),
    ]


def rows_per_schema(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the rows of each schema with marts, and how many of its marts are empty."""
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
    schemas = []
    for schema, of_schema in tables.groupby("table_schema", sort=False):
        counts = [
            int(read_mart(connection, _COUNT.format(schema, table)).iat[0, 0])
            for table in of_schema["table_name"]
        ]
        empty = f" ({counts.count(0)} empty)" if 0 in counts else ""
        marts = "mart" if len(counts) == 1 else "marts"
        told = f"{schema} {sum(counts):,} in {len(counts)} {marts}{empty}"
        # What is told of a schema stays on one line.
        schemas.append(told.replace(" ", "\u00a0"))
    lines = textwrap.wrap("; ".join(schemas), COLUMNS - _INDENT)
    return [line.replace("\u00a0", " ") for line in lines] or ["none"]


def feed_reconciliation(connection: duckdb.DuckDBPyConnection) -> Section:
    """Return a section with a line per feed: rows read, where they ended, why most are rejected.

    Repeated rows are duplicates and superseded ones. Feeds whose rows all count are one line, and
    so are those with few rows that don't, where there are many feeds with a fault.
    """
    feeds = read_mart(
        connection,
        """
        with

        reasons as (

            select
                feed,
                rejection_reason || ' ' || count(*) as most_frequent,
                count(*) over (partition by feed) - 1 as other_reasons,
                row_number() over (partition by feed order by count(*) desc, rejection_reason)
                    as place
            from quality.rejected_rows
            group by feed, rejection_reason

        )

        select
            feeds.feed,
            feeds.rows_read,
            feeds.accepted_rows,
            feeds.duplicate_rows + feeds.superseded_rows as repeated_rows,
            feeds.rejected_rows,
            feeds.unaccounted_rows,
            reasons.most_frequent,
            reasons.other_reasons
        from quality.feed_reconciliation as feeds
        left join reasons
            on feeds.feed = reasons.feed and reasons.place = 1
        order by feeds.feed
        """,
    )
    heading = "Feeds, in rows"
    if feeds.empty:
        return Section(heading, ["none"])
    is_accounted = feeds["unaccounted_rows"].fillna(1).eq(0)
    faults = (feeds["rows_read"] - feeds["accepted_rows"]).fillna(0)
    is_whole = is_accounted & faults.eq(0)
    # Rows that are lost come before all that are told.
    ranked = feeds.assign(is_accounted=is_accounted, faults=faults)[~is_whole].sort_values(
        ["is_accounted", "faults", "feed"], ascending=[True, False, True]
    )
    shown = feeds.loc[ranked.index[:_FEEDS].sort_values()]
    others = feeds.loc[ranked.index[_FEEDS:]]
    rows = [[feed.feed, *map(_count, feed[2:6]), _remark(feed)] for feed in shown.itertuples()]
    if not others.empty:
        rows.append(_together(others, "more with a fault"))
    if is_whole.any():
        rows.append(_together(feeds[is_whole], "without a fault"))
    # The heading is that of the columns too, and begins left of the lines.
    headings = [heading[_INDENT:], "read", "accepted", "repeated", "rejected", ""]
    *columns, remarks = zip(headings, *rows, strict=True)
    first, *lines = (
        f"{line}   {remark}".rstrip()
        for line, remark in zip(_aligned(list(zip(*columns, strict=True))), remarks, strict=True)
    )
    return Section(heading[:_INDENT] + first, lines)


def session_figures(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return number, energy and users of the charging sessions in core, a line per source.

    Logs name vehicles in place of users.
    """
    sources = read_mart(
        connection,
        """
        with

        known_users as (

            select
                user_key,
                source_system
            from core.dim_user
            where source_system not in ('unknown', 'telematics')

            union all

            select
                vehicle_key as user_key,
                source_system
            from core.dim_vehicle
            where source_system <> 'unknown'

        ),

        known_sessions as (

            select
                * exclude (user_key),
                case when source_system = 'telematics' then vehicle_key else user_key end
                    as user_key
            from core.fct_charging_sessions

        ),

        sessions as (

            select
                source_system,
                count(*) as sessions,
                count_if(outcome = 'open') as open_sessions,
                sum(energy_kwh) as energy_kwh,
                count(distinct user_key)
                    filter (where user_key in (select user_key from known_users)) as session_users
            from known_sessions
            group by source_system

        ),

        users as (

            select
                source_system,
                count(*) as users
            from known_users
            group by source_system

        )

        select
            source_system,
            coalesce(sessions, 0) as sessions,
            coalesce(open_sessions, 0) as open_sessions,
            coalesce(energy_kwh, 0) as energy_kwh,
            coalesce(session_users, 0) as session_users,
            coalesce(users, 0) as users,
            if(source_system = 'telematics', 'vehicles', 'users') as noun
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
            f"{int(row.users):,} {row.noun}",
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
    load_factor = "" if pd.isna(kpis.load_factor) else f", load factor {percent(kpis.load_factor)}"
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
                f"last 7 days {kpis.avg_daily_energy_last_7_days_kwh:,.1f} kWh,"
                f" peak day {kpis.peak_daily_energy_kwh:,.1f} kWh on {kpis.peak_date:%Y-%m-%d}",
            ),
            (
                "peak hour",
                f"{kpis.peak_hourly_load_kwh:,.1f} kWh",
                f"{kpis.peak_hour_local_at:%Y-%m-%d %H:%M} local time{load_factor},"
                f" {percent(kpis.utilization)} of the hours used",
            ),
        ]
    )


def network_lines(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the key figures of the charging network."""
    figures = network_figures(connection)
    return _figures(figures) if figures else ["none"]


def fleet_lines(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the key figures of the simulated fleets."""
    figures = fleet_figures(connection)
    return _figures(figures) if figures else ["none"]


def telematics_lines(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the key figures of driving and charging logs."""
    figures = telematics_figures(connection)
    return _figures(figures) if figures else ["none"]


def experiment_figures(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the decision of each comparison and its reason, and the effects on its primaries.

    An effect has the interval of the method that decided, and beside it the one that treats
    sessions as independent, for comparison only. Of several comparisons the first are shown, each
    with a line of its reason.
    """
    decisions = read_mart(
        connection,
        """
        select
            experiment_id, treatment_variant, state, reason, decision_method
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
    if len(decisions) == 1:
        (decision,) = decisions.itertuples()
        return [
            *_reason(decision, _REASON_LINES),
            *_effects(effects, decision.decision_method),
        ]
    lines = [
        line
        for decision in decisions.head(_COMPARISONS).itertuples()
        for line in _reason(decision, 1)
    ]
    left = len(decisions) - _COMPARISONS
    if left > 0:
        lines.append(f"{left:,} more in experiment.experiment_decision")
    return lines or ["none"]


def place_lines(places: Places) -> list[str]:
    """Return where warehouse, plots and docs site are, or how to get the missing ones."""
    plots = _short(places.plots) if any(places.plots.glob("*.png")) else _NOT_THERE
    docs = f"{_short(places.docs)} (make docs)" if places.docs.is_file() else _NOT_THERE
    return [f"warehouse  {_short(places.warehouse)}", f"plots      {plots}; docs site {docs}"]


def _together(feeds: pd.DataFrame, words: str) -> list[str]:
    """Return the line of several feeds."""
    columns = ["rows_read", "accepted_rows", "repeated_rows", "rejected_rows"]
    noun = "feed" if len(feeds) == 1 else "feeds"
    return [f"{len(feeds)} {noun} {words}", *map(_count, feeds[columns].sum()), ""]


def _remark(feed: Any) -> str:
    """Return why rows of a feed were rejected, and before it how many are lost."""
    parts = []
    # A count that is missing is a fault of the checks: it is shown and not hidden as zero.
    if pd.isna(feed.unaccounted_rows) or feed.unaccounted_rows:
        parts.append(f"unaccounted: {_count(feed.unaccounted_rows)}")
    if not pd.isna(feed.most_frequent):
        others = f", {feed.other_reasons:.0f} more" if feed.other_reasons else ""
        parts.append(feed.most_frequent + others)
    return "; ".join(parts)


def _reason(decision: Any, lines: int) -> list[str]:
    """Return the state of a comparison and its reason, cut to so many lines."""
    return textwrap.wrap(
        f"{decision.experiment_id}, {decision.treatment_variant}: {decision.state}."
        f" {decision.reason}",
        COLUMNS - _INDENT,
        subsequent_indent="  ",
        max_lines=lines,
        placeholder=" ...",
    )


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


def _aligned(table: list[Sequence[str]]) -> list[str]:
    """Return the rows of a table as lines, the first column on the left, others on the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join([f"{first:<{widths[0]}}", *map(str.rjust, others, widths[1:])])
        for first, *others in table
    ]


def _figures(figures: list[tuple[str, str, str]]) -> list[str]:
    names, values, _ = (max(map(len, column)) for column in zip(*figures, strict=True))
    return [f"{name:<{names}} {value:>{values}}   {remark}" for name, value, remark in figures]


def _count(count: int | None) -> str:
    return "unknown" if pd.isna(count) else f"{int(count):,}"


def _short(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path.resolve()) if relative.startswith("..") else relative
