"""What is rebuilt from driving and charging logs is what happened, whatever befell the logs.

The truth is the generator's own account of what happened; it is not read back from the logs.
"""

import subprocess
import sys
from collections.abc import Iterator

import duckdb
import pytest

from dbt_runner import PROJECT_ROOT, run_dbt

pytestmark = pytest.mark.builds

SCRIPT = PROJECT_ROOT / "python_scripts" / "generate_telematics.py"
# The autumn clock change lies within.
SIZE = ["--vehicles", "400", "--days", "30", "--start", "2024-10-10", "--format", "parquet"]
# Both runs are built into one warehouse: another seed has other vehicles.
RUNS = {"clean": ["--no-damage"], "damaged": ["--damage", "--seed", "7"]}
FEEDS = ["vehicles", "drives", "charges", "injected_damage"]
RELATIONS = ["+int_telematics__timeline", "+int_charging_sessions__telematics", "+fct_drives"]
RELATIONS += ["+dim_vehicle", "+telematics_damage_scores", "+stg_telematics__injected_damage"]
DATA_TESTS = [
    "timelines_of_vehicles_are_continuous",
    "records_of_a_vehicle_are_in_the_order_of_time",
    "every_drive_and_every_charge_is_in_one_record",
    "every_rise_of_soc_is_a_session_or_a_contradiction",
    "path:models/intermediate/telematics",
]
DAMAGE_KINDS = {
    *("repeated_row", "unit_slip", "soc_error", "odometer_error", "overlap"),
    *("fragmented_charge", "missing_charge", "missing_drive"),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse of both runs, and their truth as views such as `clean_truth_gaps`."""
    folder = tmp_path_factory.mktemp("telematics")
    for run, options in RUNS.items():
        command = [sys.executable, SCRIPT, *SIZE, "--output", folder / run, *options]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
    result = run_dbt(
        ["build", "--select", *RELATIONS, *DATA_TESTS, "--indirect-selection", "empty"]
        + ["--exclude-resource-type", "unit_test"],
        folder / "warehouse.duckdb",
        vars={
            "feeds": {
                f"telematics__{feed}": str(folder / "*" / f"telematics__{feed}.parquet")
                for feed in FEEDS
            }
        },
    )
    assert result.returncode == 0, result.stdout
    with duckdb.connect() as connection:
        connection.execute(f"attach '{folder / 'warehouse.duckdb'}' as warehouse (read_only)")
        connection.execute("set search_path = 'memory,warehouse.intermediate,warehouse.core'")
        for run in RUNS:
            for file in (folder / run).glob("truth_*.parquet"):
                connection.execute(f"create view {run}_{file.stem} as from read_parquet('{file}')")
            connection.execute(
                f"create view {run}_records as from warehouse.intermediate.int_telematics__records "
                f"where vehicle_id in (select vehicle_id from {run}_truth_drives)"
            )
            connection.execute(
                f"create view {run}_sessions as "
                f"from warehouse.intermediate.int_telematics__charging_sessions "
                f"where vehicle_id in (select vehicle_id from {run}_truth_drives)"
            )
        yield connection


def differences(
    connection: duckdb.DuckDBPyConnection,
    truth: str,
    rebuilt: str,
    exact: list[str],
    may_lack: list[str] = (),
) -> list:
    """Rows of the truth without a rebuilt one of the same vehicle and begin, the reverse, and
    pairs that differ; a value that a supplier left out may be NULL.
    """
    conditions = [f"true_rows.{column} is distinct from rows.{column}" for column in exact]
    conditions += [f"true_rows.{column} <> rows.{column}" for column in may_lack]
    assert connection.execute(f"select count(*) from {truth}").fetchone()[0] > 0
    return connection.execute(
        f"""
        select true_rows.*, rows.*
        from {truth} as true_rows
        full outer join {rebuilt} as rows using (vehicle_id, started_at)
        where
            true_rows.vehicle_id is null or rows.vehicle_id is null
            or {" or ".join(conditions)}
        """
    ).fetchall()


# An end that wasn't delivered is an estimate; one in the repeated hour may be the earlier of two.
KNOWN_END = "case when not (is_end_estimated or is_ambiguous_time) then ended_at end"


# --- the clean run --------------------------------------------------------------------------------


def test_every_drive_is_the_true_one(runs):
    drives = "(from clean_truth_drives where is_logged)"
    rebuilt = f"(select * replace ({KNOWN_END} as ended_at) from clean_records "
    rebuilt += "where record_kind = 'drive')"
    exact = ["soc_start_pct", "soc_end_pct", "odometer_start_km", "odometer_end_km"]
    assert differences(runs, drives, rebuilt, exact, ["ended_at", "energy_kwh"]) == []


def test_every_drive_is_in_the_fact_with_its_distance(runs):
    found = runs.execute(
        """
        select vehicle_id, started_at, odometer_end_km - odometer_start_km as distance_km
        from clean_truth_drives where is_logged
        except all
        select vehicle_id, started_at, distance_km from fct_drives join dim_vehicle
        using (vehicle_key)
        """
    ).fetchall()
    assert found == []


def test_every_logged_session_is_the_true_one(runs):
    sessions = "(from clean_truth_sessions where is_logged)"
    rebuilt = f"(select * replace ({KNOWN_END} as ended_at, "
    rebuilt += "case energy_source when 'delivered' then energy_kwh end as energy_kwh) "
    rebuilt += "from clean_sessions where completeness <> 'inferred')"
    may_lack = ["ended_at", "soc_start_pct", "soc_end_pct", "energy_kwh", "max_power_kw", "place"]
    assert differences(runs, sessions, rebuilt, ["fragments"], may_lack) == []


def test_sessions_lack_only_what_was_not_delivered(runs):
    """Otherwise equality would say little where a value may be missing."""
    lacking = runs.execute(
        """
        select
            count_if(is_end_estimated), count_if(soc_start_pct is null),
            count_if(max_power_kw is null), count_if(place is null),
            count_if(energy_source is distinct from 'delivered' and supplier <> 'charlie')
        from clean_sessions where completeness <> 'inferred'
        """
    ).fetchone()
    delivered = runs.execute(
        """
        select
            count_if(ended_at is null), count_if(soc_start_pct is null),
            count_if(max_power_kw is null), count_if(place is null),
            count_if(energy_kwh is null and supplier <> 'charlie')
        from warehouse.staging.stg_telematics__charges
        where vehicle_id in (select vehicle_id from clean_truth_drives)
        """
    ).fetchone()
    assert all(rebuilt <= raw for rebuilt, raw in zip(lacking, delivered, strict=True))


def test_every_gap_is_of_the_true_kind_and_from_the_true_end_to_the_true_begin(runs):
    truth = "(select *, gap_ended_at as started_at from clean_truth_gaps)"
    rebuilt = f"""(
        select
            records.vehicle_id, records.started_at, records.gap_kind,
            before.ended_at as gap_started_at,
            records.gap_soc_start_pct as soc_start_pct, records.soc_start_pct as soc_end_pct,
            records.gap_odometer_start_km as odometer_start_km,
            records.odometer_start_km as odometer_end_km
        from clean_records as records
        join (select * replace ({KNOWN_END} as ended_at) from clean_records) as before
            on records.vehicle_id = before.vehicle_id
            and records.record_number = before.record_number + 1
    )"""
    exact = ["gap_kind", "odometer_start_km", "odometer_end_km"]
    may_lack = ["gap_started_at", "soc_start_pct", "soc_end_pct"]
    assert differences(runs, truth, rebuilt, exact, may_lack) == []


def test_every_unlogged_session_is_inferred_and_nothing_else_is(runs):
    found = runs.execute(
        """
        select true_rows.*, rows.*
        from (from clean_truth_sessions where not is_logged) as true_rows
        full outer join (from clean_sessions where completeness = 'inferred') as rows
            on true_rows.vehicle_id = rows.vehicle_id
            and true_rows.started_at >= rows.started_at and true_rows.ended_at <= rows.ended_at
        where true_rows.vehicle_id is null or rows.vehicle_id is null
        """
    ).fetchall()
    assert found == []


def test_a_whole_log_makes_complete_sessions(runs):
    """Sessions of suppliers that deliver energy, amid the log and next to nothing missing."""
    incomplete = runs.execute(
        """
        select * from clean_sessions
        where
            completeness = 'incomplete'
            and incomplete_reason in ('contradicts_timeline', 'energy_disagrees')
            and session_id not in (
                select vehicle_id || '/' || strftime(started_at, '%Y%m%dT%H%M%SZ')
                from clean_records
                where 'inferred_session' in (gap_kind, next_gap_kind)
            )
        """
    ).fetchall()
    assert incomplete == []


def test_the_clean_run_has_what_the_rules_are_about(runs):
    kinds = runs.execute("select distinct supplier, gap_kind from clean_records").fetchall()
    suppliers = {"alpha", "bravo", "charlie"}
    for kind in ("standing", "standby_loss", "inferred_session", "inferred_drive"):
        assert {supplier for supplier, found in kinds if found == kind} == suppliers
    assert "contradiction" not in {kind for _, kind in kinds}
    fragments, estimated, ambiguous, without_odometer, over_the_change = runs.execute(
        """
        select
            max(fragments),
            count_if(is_end_estimated),
            count_if(is_ambiguous_time),
            count_if(supplier = 'charlie' and record_kind = 'charge'
                and 'inferred_drive' in (gap_kind, next_gap_kind)),
            count_if(supplier = 'bravo' and timestamp '2024-10-27 01:00' between started_at
                and ended_at)
        from clean_records
        """
    ).fetchone()
    assert fragments >= 3
    assert estimated > 0
    assert ambiguous <= 5
    assert without_odometer > 0
    assert over_the_change > 0


# --- the damaged run ------------------------------------------------------------------------------


def test_every_kind_of_damage_is_found(runs):
    scores = runs.execute(
        """
        select damage_kind, precision_share, recall_share
        from warehouse.quality.telematics_damage_scores where injected > 0
        """
    ).fetchall()
    assert {kind for kind, _, _ in scores} == DAMAGE_KINDS
    assert {kind: precision for kind, precision, _ in scores if precision < 0.9} == {}
    assert {kind: recall for kind, _, recall in scores if recall < 0.9} == {}


def test_damage_reaches_no_further_than_the_records_next_to_it(runs):
    """Gaps that are not of their true kind, against what was damaged."""
    wrong, damaged = runs.execute(
        """
        select
            (
                select count(*)
                from damaged_truth_gaps as gaps
                left join damaged_records as records
                    on gaps.vehicle_id = records.vehicle_id
                    and gaps.gap_ended_at = records.started_at
                where gaps.gap_kind is distinct from records.gap_kind
            ),
            (
                select count(*) from warehouse.staging.base_telematics__injected_damage
                where damage_kind in ('unit_slip', 'soc_error', 'odometer_error', 'overlap')
            )
        """
    ).fetchone()
    assert damaged > 0
    assert wrong <= 2 * damaged
