"""What the README and CONTRIBUTING show is run."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from dbt_runner import PROJECT_ROOT, run_dbt

pytestmark = pytest.mark.builds

PAGES = ["README.md", "CONTRIBUTING.md"]
PYTHON = ".venv/bin/python"


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a language on a page."""
    text = (PROJECT_ROOT / page).read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def commands(page: str) -> list[list[str]]:
    """The shell commands of a page as words, without comments."""
    lines = [line for block in blocks(page, "bash") for line in block.splitlines()]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def run_script(arguments: list[str], folder: Path) -> None:
    """Run a script of the project, with the folder data/ in another place."""
    moved = [str(folder / word) if word.startswith("data/") else word for word in arguments]
    result = subprocess.run(
        [sys.executable, *moved], cwd=PROJECT_ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_exists(page):
    for program, *arguments in commands(page):
        assert program in ("make", PYTHON)
        if program == PYTHON:
            continue
        result = subprocess.run(
            ["make", "--dry-run", *arguments], cwd=PROJECT_ROOT, capture_output=True, text=True
        )
        assert result.returncode == 0, result.stderr


def without_conflict(named: list[dict[str, str]]) -> list[dict[str, str]]:
    """Feeds of several commands in as few builds as can be: none has two files for a feed."""
    groups: list[dict[str, str]] = []
    for feeds in named:
        fitting = [
            group
            for group in groups
            if all(group.get(name, file) == file for name, file in feeds.items())
        ]
        if fitting:
            fitting[0].update(feeds)
        else:
            groups.append(dict(feeds))
    return groups


def test_every_build_from_own_files_builds(tmp_path):
    # The pages name files in data/, which is the user's; the seeds stand in for them.
    data = tmp_path / "data"
    (data / "loads").mkdir(parents=True)
    reports = PROJECT_ROOT / "seeds" / "raw" / "raw_residential__charging_reports.csv"
    loads = PROJECT_ROOT / "seeds" / "raw" / "raw_residential__hourly_loads.csv"
    shutil.copy(reports, data / "reports.csv")
    shutil.copy(reports, data / "Dataset 1_EV charging reports.csv")
    shutil.copy(loads, data / "loads" / "2024.csv")
    shutil.copy(loads, data / "Dataset 2_Hourly EV loads - Per user.csv")
    seeds = PROJECT_ROOT / "seeds" / "raw"
    shutil.copy(seeds / "raw_experiment__users.csv", data / "users.csv")
    shutil.copy(seeds / "raw_experiment__sessions.csv", data / "sessions.csv")
    shutil.copy(seeds / "raw_market__prices.csv", data / "prices.csv")
    shutil.copy(seeds / "raw_network__stations.csv", data / "stations.csv")
    shutil.copy(seeds / "raw_network__ports.csv", data / "ports.csv")
    shutil.copy(seeds / "raw_network__charging_sessions.csv", data / "network_sessions.csv")
    shutil.copy(seeds / "raw_network__charger_messages.csv", data / "messages.csv")
    shutil.copy(seeds / "raw_network__outage_exclusions.csv", data / "exclusions.csv")
    for feed in ("vehicles", "drives", "charges"):
        shutil.copy(seeds / f"raw_telematics__{feed}.csv", data / f"{feed}.csv")
    for words in commands("README.md"):
        if words[0] == PYTHON:
            run_script(words[1:], tmp_path)
    settings = [words[-1] for words in commands("README.md") if words[-1].startswith("VARS=")]
    assert len(settings) == 6
    named = [yaml.safe_load(setting.removeprefix("VARS="))["feeds"] for setting in settings]
    for number, group in enumerate(without_conflict(named)):
        feeds = {name: str(tmp_path / file) for name, file in group.items()}
        (tmp_path / str(number)).mkdir()
        warehouse = tmp_path / str(number) / "warehouse.duckdb"
        # unit tests see nothing of the feeds
        options = ["--exclude", "resource_type:unit_test"]
        result = run_dbt(["build", *options], warehouse, vars={"feeds": feeds})
        assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("page", ["README.md", "models/overview/overview.md"])
def test_a_supplier_is_told_as_in_the_project(page):
    project = yaml.safe_load((PROJECT_ROOT / "dbt_project.yml").read_text())
    (settings,) = map(yaml.safe_load, blocks(page, "yaml"))
    (told,) = settings["telematics_suppliers"].values()
    known = project["vars"]["telematics_suppliers"].values()
    assert all(set(told) == set(supplier) for supplier in known)


def test_every_query_returns_rows(connection):
    queries = [query for block in blocks("README.md", "sql") for query in block.split(";")]
    for query in filter(str.strip, queries):
        assert connection.execute(query).fetchone() is not None, query


def test_every_table_of_the_readme_exists(connection):
    text = (PROJECT_ROOT / "README.md").read_text()
    marts = ["load", "reliability", "experiment", "fleet", "mobility"]
    schemas = ["core", *marts, "extracts", "quality"]
    named = set(re.findall(rf"`((?:{'|'.join(schemas)})\.\w+)`", text))
    tables = connection.execute(
        "select table_schema || '.' || table_name from information_schema.tables "
        "where list_contains(?, table_schema)",
        [schemas],
    ).fetchall()
    assert named == {table for (table,) in tables}
