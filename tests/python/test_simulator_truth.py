"""Sessions rebuilt from telemetry and plug events are the simulator's, whatever befell these.

The truth is the simulator's own account of each stay; it is not read back from the telemetry.
"""

import random
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from dbt_runner import PROJECT_ROOT, run_dbt

pytestmark = pytest.mark.builds

SCRIPT = PROJECT_ROOT / "python_scripts" / "simulate_fleet.py"
# The autumn clock change lies within.
SIZE = ["--users", "150", "--days", "21", "--start", "2024-10-14", "--format", "parquet"]
# Cars that charge at once, in many pieces, and that give energy back in between.
RUNS = {
    "uncontrolled": [],
    "smart": ["--controller", "smart", "--jitter-minutes", "10"],
    "drained": ["--dispatch", "drain", "--counterfactual-run-id", "uncontrolled"],
}
FEEDS = [
    *("users", "telemetry", "plug_events", "trips", "dispatches", "session_truth"),
    "injected_damage",
]
# Columns of the fact, and what they are in the truth, whose columns are text.
SESSION_COLUMNS = {
    "session_id": "run_id || '/' || user_id || '/' || translate(plugged_in_at, '-:', '')",
    "user_key": "md5('simulator' || chr(31) || run_id || '/' || user_id)",
    "plugged_in_at": "cast(plugged_in_at as timestamp)",
    "plugged_out_at": "cast(plugged_out_at as timestamp)",
    "charging_started_at": "cast(charging_started_at as timestamp)",
    "charging_ended_at": "cast(charging_ended_at as timestamp)",
    "charging_minutes": "cast(cast(charging_seconds as integer) / 60 as decimal(18, 6))",
    "energy_kwh": "cast(import_kwh as decimal(18, 6))",
    "exported_kwh": "cast(export_kwh as decimal(18, 6))",
    "soc_start_pct": "cast(soc_start_pct as decimal(9, 4))",
    "soc_end_pct": "cast(soc_end_pct as decimal(9, 4))",
    "outcome": (
        "case when plugged_out_at is null then 'open' "
        "when cast(import_kwh as decimal(18, 6)) > 0 then 'succeeded' else 'unknown' end"
    ),
}
RELATIONS = ["+fct_charging_sessions", "+dim_user", "+telemetry_damage_scores"]
# What other sources have no rows for needs no tests here.
OTHER_TESTS = [
    f"resource_type:test,path:{folder}"
    for folder in ("models/staging", "models/intermediate/network", "tests")
]


def simulate(folder: Path, run_id: str, *options: str) -> None:
    """Write a run and its truth."""
    command = [sys.executable, SCRIPT, *SIZE, "--output", folder, "--run-id", run_id, *options]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def build(folder: Path, feeds: dict[str, str], relations: list[str], *options: str) -> None:
    result = run_dbt(
        ["build", "--select", *relations, "--exclude-resource-type", "unit_test", *options],
        folder / "warehouse.duckdb",
        vars={"feeds": feeds},
    )
    assert result.returncode == 0, result.stdout


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with each run twice, clean and damaged, and the warehouse of all of them."""
    folder = tmp_path_factory.mktemp("runs")
    for name, options in RUNS.items():
        simulate(folder / f"{name}_clean", f"{name}-clean", *options)
        simulate(folder / f"{name}_damaged", f"{name}-damaged", *options, "--damage")
    feeds = {
        f"simulator__{table}": str(folder / "*" / f"simulator__{table}.parquet") for table in FEEDS
    }
    build(folder, feeds, RELATIONS, "--indirect-selection", "buildable", "--exclude", *OTHER_TESTS)
    return folder


@pytest.fixture(scope="module")
def shuffled(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same telemetry and events in another order, in several deliveries, each made twice."""
    folder = tmp_path_factory.mktemp("shuffled")
    feeds = {"simulator__users": str(runs / "*" / "simulator__users.parquet")}
    chance = random.Random(42)
    for feed in ("simulator__telemetry", "simulator__plug_events"):
        with duckdb.connect() as connection:
            frame = connection.read_parquet(str(runs / "*" / f"{feed}.parquet")).df()
            frame = frame.sample(frac=1, random_state=chance.randrange(1000))
            for number in range(4):
                part = connection.from_df(frame.iloc[number::4])
                for delivery in ("first", "second"):
                    part.write_parquet(str(folder / f"{feed}_{delivery}_{number}.parquet"))
        feeds[feed] = str(folder / f"{feed}_*.parquet")
    build(folder, feeds, ["+telemetry_damage"], "--exclude-resource-type", "test")
    return folder


def connected(folder: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True)


def truth_of(folder: Path, which: str) -> str:
    return f"read_parquet('{folder}/*_{which}/simulator__session_truth.parquet')"


def differences(folder: Path, which: str) -> list:
    """Sessions of the truth that were not rebuilt, and ones that were rebuilt and are not true."""
    with connected(folder) as connection:
        true_rows = f"select {', '.join(SESSION_COLUMNS.values())} from {truth_of(folder, which)}"
        rows = (
            f"select {', '.join(SESSION_COLUMNS)} from core.fct_charging_sessions "
            f"where source_system = 'simulator' and session_id like '%-{which}/%'"
        )
        assert connection.execute(f"select count(*) from ({true_rows})").fetchone()[0] > 0
        return [
            (side, *row)
            for side, query in (
                ("missing", f"({true_rows}) except all ({rows})"),
                ("wrong", f"({rows}) except all ({true_rows})"),
            )
            for row in connection.execute(query).fetchall()
        ]


def test_every_session_of_a_clean_run_is_the_true_one(runs):
    assert differences(runs, "clean") == []


def test_every_session_of_a_damaged_run_is_the_true_one_too(runs):
    """What is damaged in a stay is told by what is not: nothing has to remain."""
    assert differences(runs, "damaged") == []


def test_the_runs_have_what_the_rules_are_about(runs):
    """Otherwise equality would say little."""
    with connected(runs) as connection:
        counts = connection.execute(
            """
            select
                count(*) filter (where outcome = 'open'),
                count(*) filter (where outcome = 'unknown'),
                count(*) filter (where exported_kwh > 0),
                count(*) filter (
                    where charging_minutes * 60 < epoch(charging_ended_at - charging_started_at)
                ),
                count(*) filter (
                    where connected_minutes
                        <> epoch(plugged_out_local_at - plugged_in_local_at) / 60
                )
            from core.fct_charging_sessions where source_system = 'simulator'
            """
        ).fetchone()
    names = ["open", "without energy", "exporting", "charging in pieces", "over the clock change"]
    assert [name for name, count in zip(names, counts, strict=True) if not count] == []


def test_every_damage_of_telemetry_is_found_and_nothing_else(runs):
    with connected(runs) as connection:
        scores = connection.execute(
            """
            select damage_kind, injected, precision_share, recall_share
            from quality.telemetry_damage_scores
            """
        ).fetchall()
    assert {kind for kind, *_ in scores} == {
        "repeated_row",
        "late_event",
        "missing_interval",
        "register_reset",
        "unit_slip",
        "missing_plug_out",
        "clock_skew",
    }
    assert {kind: count for kind, count, *_ in scores if count < 5} == {}
    assert [score for score in scores if score[2:] != (1, 1)] == []


def test_order_and_repetition_of_telemetry_change_nothing(runs, shuffled):
    with connected(shuffled) as connection:
        connection.execute(f"attach '{runs / 'warehouse.duckdb'}' as other (read_only)")
        changed = {}
        for table, where in (
            ("intermediate.int_simulator__stays", "true"),
            # exactly as many copies as were delivered are counted in there
            ("quality.telemetry_damage", "damage_kind <> 'repeated_row'"),
        ):
            own = f"select * from {table} where {where}"
            theirs = f"select * from other.{table} where {where}"
            changed[table] = connection.execute(
                f"select count(*) from (({own} except all {theirs}) "
                f"union all ({theirs} except all {own}))"
            ).fetchone()[0]
    assert set(changed.values()) == {0}, changed
