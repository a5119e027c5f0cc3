"""Fixtures that need a finished build; each is made once per test session.

The environment variable EV_TEST_WAREHOUSE names a warehouse that is used instead of building one.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from dbt_runner import PROJECT_ROOT, PSEUDONYM_KEY, run_dbt


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take long first, so that processes that share the files end together."""
    items.sort(key=lambda item: item.get_closest_marker("builds") is None)


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of a warehouse built from the seeds."""
    existing = os.environ.get("EV_TEST_WAREHOUSE", "")
    if Path(existing).is_file():
        return Path(existing).resolve()
    path = tmp_path_factory.mktemp("build") / "warehouse.duckdb"
    _must_succeed(run_dbt(["build"], path, env={"EV_PSEUDONYM_KEY": PSEUDONYM_KEY}))
    return path


@pytest.fixture(scope="session")
def connection(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Read-only connection to the warehouse."""
    with duckdb.connect(str(warehouse), read_only=True) as opened:
        yield opened


@pytest.fixture(scope="session")
def docs_site(warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the generated docs site, plots included."""
    target = tmp_path_factory.mktemp("docs")
    # dbt opens a warehouse to write, which the tests that read it would forbid: it gets a copy.
    copy = Path(shutil.copy(warehouse, target / "warehouse.duckdb"))
    plots = PROJECT_ROOT / "plots"
    # dbt copies the plots from the project's own folder, which is left as it was found.
    kept = tmp_path_factory.mktemp("kept") / "plots"
    if plots.is_dir():
        shutil.copytree(plots, kept)
    try:
        _must_succeed(
            subprocess.run(
                [
                    sys.executable,
                    PROJECT_ROOT / "python_scripts" / "draw_plots.py",
                    "--warehouse",
                    warehouse,
                    "--output",
                    plots,
                ],
                capture_output=True,
                text=True,
                check=False,
            )
        )
        _must_succeed(
            run_dbt(
                ["docs", "generate"],
                copy,
                env={"DBT_TARGET_PATH": str(target), "DBT_LOG_PATH": str(target / "logs")},
            )
        )
    finally:
        shutil.rmtree(plots, ignore_errors=True)
        if kept.is_dir():
            shutil.copytree(kept, plots)
    return target


def _must_succeed(process: subprocess.CompletedProcess) -> None:
    if process.returncode != 0:
        pytest.fail(f"{process.args} failed:\n{process.stdout}{process.stderr}", pytrace=False)
