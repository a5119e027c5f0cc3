"""What is rebuilt from charger messages is what the generator meant, whatever befell the messages.

The truth is the generator's own account of what happened; it is not read back from the messages.
"""

import random
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import duckdb
import pytest

from dbt_runner import PROJECT_ROOT, run_dbt

pytestmark = pytest.mark.builds

SCRIPT = PROJECT_ROOT / "python_scripts" / "generate_network.py"
# A month end and both clock changes of its two time zones lie within.
SIZE = ["--stations", "12", "--days", "40", "--start", "2024-10-05", "--seed", "7"]
MESSAGES = "network__charger_messages"
# Truth: the relation that must equal it, and how its columns are called there.
REBUILT = {
    "truth_attempts": "intermediate.int_network__visit_attempts",
    "truth_visits": "reliability.fct_visits",
    "truth_outages": "intermediate.int_network__outages",
    "truth_sessions": "core.fct_charging_sessions",
}
# Columns of the fact that say what is true of a session, and the truth's names for them.
SESSION_COLUMNS = {
    "session_id": "session_id",
    "plugged_in_at": "plugged_in_at",
    "plugged_out_at": "plugged_out_at",
    "charging_started_at": "power_started_at",
    "energy_kwh": "energy_kwh",
    "max_power_kw": "max_power_kw",
    "soc_start_pct": "soc_start_pct",
    "soc_end_pct": "soc_end_pct",
    "outcome": "outcome",
    "failure_reason": "failure_reason",
}
# What the tests look at, with all that it is built from.
RELATIONS = ["+path:models/marts/reliability", "+fct_charging_sessions", "+message_damage_scores"]
RELATIONS += ["+dim_port", "+dim_user"]
# Exactly as many copies of the messages as were delivered are in there.
COUNTS_COPIES = {"quality.message_damage", "quality.message_damage_scores"}


def generate(folder: Path, *options: str, file_format: str = "parquet") -> None:
    """Write a network and its truth."""
    command = [sys.executable, SCRIPT, *SIZE, "--format", file_format, "--output", folder, *options]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def build(folder: Path, feeds: dict[str, str], with_tests: bool = False) -> Path:
    """Build everything that the network flows into; with_tests adds the data tests."""
    warehouse = folder / "warehouse.duckdb"
    result = run_dbt(
        ["build", "--select", *RELATIONS, "--indirect-selection", "buildable"]
        + ["--exclude-resource-type", "unit_test", *([] if with_tests else ["test"])],
        warehouse,
        vars={"feeds": feeds},
    )
    assert result.returncode == 0, result.stdout
    return warehouse


def feeds_of(folder: Path) -> dict[str, str]:
    return {file.stem: str(file) for file in folder.glob("network__*")}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a network without damage, its truth and its warehouse."""
    folder = tmp_path_factory.mktemp("clean")
    generate(folder, "--no-damage")
    build(folder, feeds_of(folder))
    return folder


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same network with damaged messages."""
    folder = tmp_path_factory.mktemp("damaged")
    generate(folder, "--damage")
    build(folder, feeds_of(folder), with_tests=True)
    return folder


@pytest.fixture(scope="module")
def shuffled(damaged: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The damaged messages in another order, as daily deliveries, each made twice."""
    folder = tmp_path_factory.mktemp("shuffled")
    with duckdb.connect() as connection:
        relation = connection.read_parquet(str(damaged / f"{MESSAGES}.parquet"))
        days = defaultdict(list)
        for row in relation.fetchall():
            days[row[1][:10]].append(row)
        chance = random.Random(42)
        names = list(days)
        chance.shuffle(names)
        for number, day in enumerate(names):
            chance.shuffle(days[day])
            frame = relation.filter("false").df()
            frame[relation.columns] = days[day]
            for delivery in ("first", "second"):
                # Names sort by chance, and the second deliveries behind all first ones.
                path = folder / f"{delivery}_{number:03}.parquet"
                connection.from_df(frame).write_parquet(str(path))
    build(folder, feeds_of(damaged) | {MESSAGES: str(folder / "*.parquet")})
    return folder


def differences(folder: Path, truth: str, rebuilt: dict[str, str], where: str = "true") -> list:
    """Rows of the truth that were not rebuilt, and rows that were rebuilt and are not true."""
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        true_rows = (
            f"select {', '.join(rebuilt.values())} "
            f"from read_parquet('{folder / truth}.parquet') where {where}"
        )
        rows = f"select {', '.join(rebuilt)} from {REBUILT[truth]}"
        if truth == "truth_sessions":
            rows += " where source_system = 'network'"
        assert connection.execute(f"select count(*) from ({true_rows})").fetchone()[0] > 0
        return [
            (side, *row)
            for side, query in (
                ("missing", f"({true_rows}) except all ({rows})"),
                ("wrong", f"({rows}) except all ({true_rows})"),
            )
            for row in connection.execute(query).fetchall()
        ]


def same_columns(folder: Path, truth: str) -> dict[str, str]:
    """The columns of a truth that its relation calls by the same names."""
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        of_truth = connection.read_parquet(str(folder / f"{truth}.parquet")).columns
        of_relation = connection.table(REBUILT[truth]).columns
    return {column: column for column in of_truth if column in of_relation}


# --- the clean network ----------------------------------------------------------------------------


def test_every_attempt_and_its_visit_is_the_true_one(clean):
    columns = same_columns(clean, "truth_attempts")
    assert len(columns) == 22
    assert differences(clean, "truth_attempts", columns) == []


def test_every_visit_is_the_true_one(clean):
    columns = same_columns(clean, "truth_visits")
    assert {"started_at", "attempts", "ports", "visit_result", "energy_kwh"} <= columns.keys()
    assert differences(clean, "truth_visits", columns) == []


def test_every_outage_is_the_true_one(clean):
    columns = same_columns(clean, "truth_outages")
    assert len(columns) == 5
    assert differences(clean, "truth_outages", columns) == []


def test_every_session_is_the_true_one_and_stands_there_once(clean):
    assert differences(clean, "truth_sessions", SESSION_COLUMNS) == []


def test_the_clean_network_has_what_the_rules_are_about(clean):
    """Otherwise equality would say little."""
    with duckdb.connect() as connection:
        attempts = connection.read_parquet(str(clean / "truth_attempts.parquet"))
        modes = {row[0] for row in attempts.distinct().project("attempt_mode").fetchall()}
        outcomes = {row[0] for row in attempts.project("outcome").distinct().fetchall()}
        inferred = attempts.filter("is_driver_inferred").count("*").fetchone()[0]
        longest = attempts.max("attempt_number").fetchone()[0]
        both = (
            connection.read_parquet(str(clean / "truth_sessions.parquet"))
            .filter("source = 'messages' and list_session_id is not null")
            .count("*")
            .fetchone()[0]
        )
        causes = {
            row[0]
            for row in connection.read_parquet(str(clean / "truth_outages.parquet"))
            .project("causes")
            .distinct()
            .fetchall()
        }
    assert modes == {"cached_authorization", "remote_start", "authorize_first", "plug_in_first"}
    assert {"succeeded", "failed"} <= outcomes
    assert inferred > 0
    assert longest >= 3
    assert both > 0
    assert {"faulted", "offline", "unavailable", "faulted+offline"} <= causes


# --- the damaged network --------------------------------------------------------------------------


def test_every_kind_of_damage_is_found(damaged):
    with duckdb.connect(str(damaged / "warehouse.duckdb"), read_only=True) as connection:
        scores = connection.execute(
            """
            select damage_kind, precision_share, recall_share
            from quality.message_damage_scores where injected > 0
            """
        ).fetchall()
    assert {kind for kind, _, _ in scores} == {
        "repeated_message",
        "late_message",
        "register_reset",
        "missing_stop",
        "clock_off",
        "unknown_driver",
        "unreadable_register",
    }
    assert {kind: precision for kind, precision, _ in scores if precision < 0.9} == {}
    assert {kind: recall for kind, _, recall in scores if recall < 0.9} == {}


def test_no_transaction_is_lost_to_damage(damaged):
    with duckdb.connect(str(damaged / "warehouse.duckdb"), read_only=True) as connection:
        lost = connection.execute(
            f"""
            select charger_id, transaction_id
            from read_parquet('{damaged / "truth_sessions.parquet"}') where source = 'messages'
            except all
            select charger_id, transaction_id from intermediate.int_network__transactions
            """
        ).fetchall()
    assert lost == []


def test_damage_costs_less_than_a_thousandth_of_the_energy(damaged):
    with duckdb.connect(str(damaged / "warehouse.duckdb"), read_only=True) as connection:
        rebuilt, true = connection.execute(
            f"""
            select
                (
                    select sum(energy_kwh) from core.fct_charging_sessions
                    where source_system = 'network'
                ),
                (
                    select sum(energy_kwh)
                    from read_parquet('{damaged / "truth_sessions.parquet"}')
                )
            """
        ).fetchone()
    assert abs(rebuilt / true - 1) < 0.001


# --- the order of arrival -------------------------------------------------------------------------


def test_order_and_repetition_of_deliveries_change_nothing(damaged, shuffled):
    """Messages shuffled, split into daily deliveries and delivered twice give the same marts."""
    with duckdb.connect(str(damaged / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute(f"attach '{shuffled / 'warehouse.duckdb'}' as other (read_only)")
        tables = connection.execute(
            """
            select table_schema || '.' || table_name from information_schema.tables
            where
                table_catalog = current_database()
                and table_schema in ('core', 'reliability', 'quality')
                and table_name not in ('feed_reconciliation', 'data_profile', 'rejected_rows')
            """
        ).fetchall()
        found = []
        for (table,) in tables:
            own = f"select * from {table}"
            if table in COUNTS_COPIES:
                own += " where damage_kind <> 'repeated_message'"
            theirs = own.replace(f"from {table}", f"from other.{table}")
            count = connection.execute(
                f"select count(*) from (({own} except all {theirs}) union all "
                f"({theirs} except all {own}))"
            ).fetchone()[0]
            if count:
                found.append((table, count))
    assert len(tables) > 10
    assert found == []
