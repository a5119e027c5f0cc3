"""The published data of Trondheim: their known figures come out of the marts.

Runs where the environment variable EV_REAL_DATA names a folder with the files, else is skipped:
the data are other people's and no part of the project.
"""

import os
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from dbt_runner import run_dbt
from feed_figures import PROFILES, load_kpis, local_time, read_loads, read_reports, read_rows

FOLDER = Path(os.environ.get("EV_REAL_DATA") or "nowhere") / "trondheim"
REPORTS = FOLDER / "Dataset 1_EV charging reports.csv"
LOADS = FOLDER / "Dataset 2_Hourly EV loads - Per user.RECONSTRUCTED.csv"
TRUE_ROWS = FOLDER / "Dataset 2_true_rows_sample.csv"
FEEDS = {
    "residential__charging_reports": str(REPORTS.resolve()),
    "residential__hourly_loads": str(LOADS.resolve()),
}
FACTS = ["fct_charging_sessions", "fct_hourly_loads"]
# Their repeated autumn hour is missing in the hourly loads.
SESSION_THAT_LOST_AN_HOUR = "3214"

pytestmark = [
    pytest.mark.builds,
    pytest.mark.skipif(
        not all(file.is_file() for file in (REPORTS, LOADS, TRUE_ROWS)),
        reason="EV_REAL_DATA names no folder with the published data of Trondheim",
    ),
]

SESSIONS = "core.fct_charging_sessions"
STATIONS = "core.dim_station where source_system = 'residential'"
REPORTED = f"select reported_minutes / 60 as hours from {SESSIONS} where plugged_out_at is not null"
BY_KIND = f"select count(*) from {SESSIONS} inner join core.dim_station using (station_key)"
PUBLISHED = {
    "sessions": (f"select count(*) from {SESSIONS}", "6878"),
    "users": ("select count(*) from core.dim_user where source_system = 'residential'", "97"),
    "users with sessions": (f"select count(distinct user_key) from {SESSIONS}", "97"),
    "garages": (f"select count(distinct site_id) from {STATIONS}", "24"),
    "shared charge points": (
        f"select count(distinct charge_point_id) from {STATIONS} and is_shared",
        "12",
    ),
    "first plug-in": (f"select min(plugged_in_local_at) from {SESSIONS}", "2018-12-21 10:20:00"),
    "last plug-in": (f"select max(plugged_in_local_at) from {SESSIONS}", "2020-01-31 20:42:00"),
    "total energy": (f"select sum(energy_kwh)::decimal(18, 2) from {SESSIONS}", "87493.28"),
    "mean energy": (f"select avg(energy_kwh)::decimal(18, 4) from {SESSIONS}", "12.7207"),
    "median energy": (f"select median(energy_kwh)::decimal(18, 2) from {SESSIONS}", "9.05"),
    "lowest energy": (f"select min(energy_kwh)::decimal(18, 2) from {SESSIONS}", "0.01"),
    "highest energy": (f"select max(energy_kwh)::decimal(18, 2) from {SESSIONS}", "80.86"),
    "open sessions": (f"select count(*) from {SESSIONS} where outcome = 'open'", "34"),
    "sessions with a duration": (f"select count(hours) from ({REPORTED})", "6844"),
    "mean duration": (f"select avg(hours)::decimal(18, 4) from ({REPORTED})", "11.5044"),
    "median duration": (f"select median(hours)::decimal(18, 4) from ({REPORTED})", "10.0263"),
    "longest duration": (f"select max(hours)::decimal(18, 4) from ({REPORTED})", "255.0294"),
    "private sessions": (f"{BY_KIND} where not is_shared", "5466"),
    "shared sessions": (f"{BY_KIND} where is_shared", "1412"),
    "rejected rows": ("select count(*) from quality.rejected_rows", "0"),
    "rows that are lost": (
        "select sum(abs(unaccounted_rows)) + sum(duplicate_rows) + sum(superseded_rows) "
        "from quality.feed_reconciliation",
        "0",
    ),
}


def build(folder: Path, feeds: dict[str, str], *skipped: str) -> duckdb.DuckDBPyConnection:
    """Build a warehouse from files and open it; resource types that are named are left out."""
    warehouse = folder / "warehouse.duckdb"
    options = [part for kind in skipped for part in ("--exclude-resource-type", kind)]
    result = run_dbt(["build", *options], warehouse, vars={"feeds": feeds})
    assert result.returncode == 0, result.stdout
    return duckdb.connect(str(warehouse), read_only=True)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse of the two published files, with its data tests."""
    with build(tmp_path_factory.mktemp("real"), FEEDS, "unit_test") as connection:
        yield connection


@pytest.fixture(scope="module")
def loads() -> pd.DataFrame:
    return read_loads(LOADS)


@pytest.fixture(scope="module")
def reports() -> pd.DataFrame:
    return read_reports(REPORTS)


@pytest.mark.parametrize("figure", PUBLISHED)
def test_a_published_figure_comes_out(real, figure):
    query, expected = PUBLISHED[figure]
    assert str(real.execute(query).fetchone()[0]) == expected


def test_the_load_of_a_session_is_its_energy_but_for_one(real):
    differing = real.execute(
        """
        select sessions.session_id
        from core.fct_charging_sessions as sessions
        left join core.fct_hourly_loads as loads using (session_key)
        group by sessions.session_id
        having coalesce(sum(loads.synthetic_7_2_kwh), 0) <> max(sessions.energy_kwh)
        """
    ).fetchall()
    assert differing == [(SESSION_THAT_LOST_AN_HOUR,)]


def test_every_session_and_its_energy_is_in_the_fact(real, reports):
    rows = real.execute(
        "select session_id, plugged_in_local_at, plugged_out_local_at, "
        "(energy_kwh * 1000000)::bigint from core.fct_charging_sessions order by session_id"
    ).fetchall()
    expected = [
        (
            row.session_id,
            row.plugged_in.to_pydatetime(),
            None if pd.isna(row.plugged_out) else row.plugged_out.to_pydatetime(),
            row.energy,
        )
        for row in reports.sort_values("session_id").itertuples()
    ]
    assert rows == expected


def test_duration_conflicts_are_those_counted_on_the_clock_of_the_site(real, reports):
    flagged = real.execute(
        "select session_id from core.fct_charging_sessions where has_duration_conflict"
    ).fetchall()
    expected = set(reports.loc[reports["has_conflict"], "session_id"])
    assert expected
    assert {session for (session,) in flagged} == expected
    assert len(flagged) == len(expected)


@pytest.mark.parametrize("profile", PROFILES)
def test_key_figures_are_those_of_the_file(real, loads, profile):
    cursor = real.execute("select * from load.load_kpis where load_profile = ?", [profile])
    names = [column[0] for column in cursor.description]
    found = dict(zip(names, cursor.fetchone(), strict=True))
    expected = load_kpis(loads, profile)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        if isinstance(value, int | float | Decimal):
            assert float(found[name]) == pytest.approx(float(value), rel=1e-9), name
        else:
            assert found[name] == value, name


def test_a_second_build_gives_the_same_facts(real, tmp_path_factory):
    folder = tmp_path_factory.mktemp("again")
    with build(folder, FEEDS, "unit_test", "test") as again:
        for fact in FACTS:
            query = f"select * from core.{fact} order by all"
            first, second = (opened.execute(query).fetchall() for opened in (real, again))
            assert first, fact
            assert first == second, fact


def test_the_rows_of_the_original_come_through_staging_unchanged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("true_rows")
    feeds = {"residential__hourly_loads": str(TRUE_ROWS.resolve())}
    with build(folder, feeds, "unit_test", "test") as connection:
        staged = connection.execute(
            "select load_started_local_at, load_ended_local_at, user_id, session_id, "
            f"{', '.join(f'{profile}_kwh' for profile in PROFILES)} "
            "from staging.stg_residential__hourly_loads"
        ).fetchall()
        assert connection.execute("select count(*) from quality.rejected_rows").fetchone() == (0,)
    delivered = [
        (
            local_time(row["date_from"]),
            local_time(row["date_to"]),
            _text(row["User_ID"]),
            _text(row["session_ID"]),
            *(_energy(row[column]) for column in PROFILES.values()),
        )
        for row in read_rows(TRUE_ROWS)
    ]
    assert len(delivered) == 68
    assert sorted(staged, key=str) == sorted(delivered, key=str)


def _text(text: str) -> str | None:
    return None if text == "NA" else text


def _energy(text: str) -> Decimal | None:
    if text == "NA":
        return None
    return Decimal(text.replace(",", ".")).quantize(Decimal("0.000001"), rounding=ROUND_HALF_UP)
