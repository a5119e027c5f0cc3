"""The benchmarks run, and both sides of each say the same. Nothing here asserts a time."""

import re
import subprocess
import sys

import pytest

from dbt_runner import PROJECT_ROOT
from ev_charging.benchmark.object_loop import EFFICIENCY, simulate
from ev_charging.simulation.archetypes import Archetype, read_archetypes

pytestmark = pytest.mark.builds

SCRIPT = PROJECT_ROOT / "python_scripts" / "run_benchmarks.py"


def run(*arguments: str) -> subprocess.CompletedProcess:
    """Run the benchmark command in the project."""
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)


def test_the_warehouse_equals_the_query_and_pandas(tmp_path):
    # A figure that differs ends the command with an error.
    result = run(
        "--rows", "20000", "--repeats", "1", "--folder", str(tmp_path), "loads_csv", "loads_pandas"
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "ratio" in result.stdout
    assert "pandas" in result.stdout


def test_a_small_experiment_comes_to_a_decision_and_the_bootstrap_runs(tmp_path):
    result = run(
        "--users", "400", "--repeats", "1", "--folder", str(tmp_path), "experiment", "bootstrap"
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "400 users" in result.stdout
    assert "times faster" in result.stdout


def test_an_unknown_benchmark_is_a_clear_error():
    result = run("loads_xml")
    assert result.returncode != 0
    assert "loads_xml" in result.stderr


def archetypes() -> list[Archetype]:
    """The archetypes of the seed."""
    return read_archetypes(PROJECT_ROOT / "seeds" / "reference" / "charging_archetypes.csv")


def test_the_loop_over_objects_charges_what_is_driven():
    users = simulate(archetypes(), users=20, days=10)
    daily = users[0]
    assert [users[place].archetype.name for place in (7, 8)] == [
        "Average (UK)",
        "Intelligent Octopus average",
    ]
    # The last charge of the ten days is for the drive of the tenth.
    charged_kwh = daily.import_register_kwh * EFFICIENCY
    driven_kwh = 10 * daily.archetype.miles_per_year / daily.archetype.miles_per_kwh / 365
    assert charged_kwh == pytest.approx(driven_kwh, rel=0.1)
    plug_ins = [now.hour for now, event, _soc in daily.events if event == "plug_in"]
    assert plug_ins == [18] * 10
    assert {now.minute % 30 for now, *_values in daily.telemetry} == {0}


def test_the_loop_over_objects_drains_who_is_there_in_the_dispatch_window():
    always = simulate(archetypes(), users=200, days=2)[-1]
    assert always.archetype.name == "Always plugged-in"
    assert always.export_register_kwh == pytest.approx(2 * always.archetype.charger_kw)
    exported = [now.hour for now, event, _soc in always.events if event == "power -7 kW"]
    assert exported == [17] * 2


def test_every_controller_is_measured_beside_the_loop():
    result = run("--cars", "20", "--repeats", "1", "simulation")
    assert result.returncode == 0, result.stdout + result.stderr
    lines = result.stdout.splitlines()
    assert len([line for line in lines if "(target 100)" in line]) == 5


def test_a_fleet_is_written_and_its_telemetry_becomes_sessions(tmp_path):
    options = ["--cars", "3", "--telemetry", "20000", "--repeats", "1", "--folder", str(tmp_path)]
    result = run(*options, "large_fleet", "telemetry", "telemetry_pandas")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "30 cars" in result.stdout
    rows, sessions = re.search(
        r"([\d,]+) rows of telemetry, ([\d,]+) sessions", result.stdout
    ).groups()
    assert int(rows.replace(",", "")) > 10 * int(sessions.replace(",", "")) > 0
    assert "target 2.5" in result.stdout
    of_part = re.findall(r"(?:pandas|duckdb) .* ([\d,]+) rows", result.stdout)
    assert len(set(of_part)) == 1


def test_logs_become_marts_and_extracts_and_ids_pseudonyms(tmp_path):
    options = ["--records", "5000", "--ids", "2000", "--repeats", "1", "--folder", str(tmp_path)]
    result = run(*options, "telematics", "pseudonyms")
    assert result.returncode == 0, result.stdout + result.stderr
    records, vehicles, drives, sessions = (
        int(number.replace(",", ""))
        for number in re.search(
            r"([\d,]+) drives and charges of ([\d,]+) vehicles; ([\d,]+) drives and ([\d,]+) sess",
            result.stdout,
        ).groups()
    )
    assert vehicles == 50
    assert records > drives > sessions > vehicles
    assert "(target 4)" in result.stdout
    assert "2,000 ids, 2,000 pseudonyms" in result.stdout
    assert "(target 3)" in result.stdout
