"""Runs dbt the way a user does, on a warehouse of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import duckdb

PROJECT_ROOT = Path(__file__).resolve().parents[2]
# Of the warehouse that the tests share; without one each build has other pseudonyms.
PSEUDONYM_KEY = "a key that is for the tests alone"


def run_dbt(
    args: list[str],
    warehouse: Path,
    vars: dict | None = None,
    env: dict[str, str] | None = None,
) -> subprocess.CompletedProcess:
    """Run `dbt <args>` in the project on `warehouse` and return how it ended, failed or not.

    target/ and logs/ are folders beside the warehouse, so the project's own ones are left
    alone; `env` adds environment variables or replaces the ones set here. stdout and stderr
    are captured as text.
    """
    command = [str(Path(sys.executable).with_name("dbt")), *args]
    if vars is not None:
        command += ["--vars", json.dumps(vars)]
    environment = {
        **os.environ,
        "EV_WAREHOUSE": str(warehouse),
        "DBT_TARGET_PATH": str(warehouse.parent / "target"),
        "DBT_LOG_PATH": str(warehouse.parent / "logs"),
        "DBT_USE_COLORS": "false",
        **(env or {}),
    }
    return subprocess.run(
        command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False
    )


def build_from_feeds(
    folder: Path,
    feeds: dict[str, str],
    select: Iterable[str],
    env: dict[str, str] | None = None,
) -> duckdb.DuckDBPyConnection:
    """Build what is selected, unit tests apart, from feeds and open the warehouse in `folder`.

    Data tests that need more than what is selected are left out.
    """
    warehouse = folder / "warehouse.duckdb"
    arguments = ["build", "--exclude-resource-type", "unit_test", "--select", *select]
    arguments += ["--indirect-selection", "buildable"]
    result = run_dbt(arguments, warehouse, vars={"feeds": feeds}, env=env)
    assert result.returncode == 0, result.stdout
    return duckdb.connect(str(warehouse), read_only=True)
