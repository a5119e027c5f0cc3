"""The benchmarks run, and both sides of each say the same. Nothing here asserts a time."""

import subprocess
import sys

from dbt_runner import PROJECT_ROOT

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
