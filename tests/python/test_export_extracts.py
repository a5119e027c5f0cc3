"""The export of extracts: what partners receive, what is refused, and what a kill leaves."""

import csv
import errno
import fcntl
import hashlib
import json
import os
import random
import re
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import export_extracts as command
import killed_exports
from dbt_runner import PROJECT_ROOT
from ev_charging.release import export, manifest, staging
from ev_charging.release.csv_text import csv_bytes, csv_rows
from ev_charging.release.figure_audit import audit_figures
from ev_charging.release.identity_traces import IdentityTraces
from ev_charging.release.limits import weak_limits
from ev_charging.release.partner_list import Delivery
from ev_charging.release.refusals import ExitCode, Refusal
from ev_charging.release.relations import column_types
from ev_charging.release.text_safety import is_formula, original_text, safe_text
from fake_extracts import (
    CLIENTS,
    EMPTY_PERIOD,
    EPOCH,
    LISTED,
    PARAMETERS,
    PARTNERS,
    PERIOD,
    RECORDS,
    VEHICLES,
    client_id,
    fake_warehouse,
    pseudonym,
    vehicle_id,
)
from killed_exports import at_call

MANIFEST = "manifest.json"
SCRIPT = Path(command.__file__)


def run(warehouse, output, *arguments):
    words = ["--warehouse", warehouse, "--output", output, *arguments]
    return CliRunner().invoke(command.export_command, [str(word) for word in words])


def released(warehouse, output, *arguments):
    result = run(warehouse, output, *arguments)
    assert result.exit_code == 0, result.output
    return result


def start(warehouse, output, *before):
    """Run the script in a process of its own, behind other words of its command line."""
    words = [*before, sys.executable, SCRIPT, "--warehouse", warehouse, "--output", output]
    return subprocess.Popen(
        [str(word) for word in words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def files_of(folder):
    """Every file below a folder with its content, hidden ones too."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows_of(output, partner, extract, period=PERIOD):
    path = output / partner / period / EPOCH / f"{extract}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def manifest_of(output, partner, period=PERIOD):
    return json.loads((output / partner / period / EPOCH / MANIFEST).read_text(encoding="utf-8"))


def refusal(result, exit_code):
    """The one line of a refusal."""
    assert result.exit_code == exit_code, result.output
    assert isinstance(result.exception, SystemExit)
    (line,) = result.output.splitlines()
    assert line.startswith("Error: ")
    return line


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small warehouse."""
    return fake_warehouse(tmp_path_factory.mktemp("warehouse"))


@pytest.fixture(scope="module")
def output(made, tmp_path_factory):
    """Releases of the small warehouse."""
    folder = tmp_path_factory.mktemp("output") / "new" / "releases"
    released(made, folder)
    return folder


# --- what is released ------------------------------------------------------------------------


def test_a_release_is_a_folder_per_partner_period_and_epoch(output):
    expected = {
        f"{partner}/{PERIOD}/{EPOCH}/{name}"
        for partner, extracts in LISTED.items()
        for name in [*(f"{extract}.csv" for extract in extracts), MANIFEST]
    }
    assert set(files_of(output)) == expected
    assert {path.name for path in output.iterdir()} == set(PARTNERS)


def test_only_listed_columns_are_delivered_in_the_order_of_the_list(output):
    for partner, extracts in LISTED.items():
        for extract, columns in extracts.items():
            assert rows_of(output, partner, extract)[0] == list(columns)


def test_files_are_utf_8_with_commas_and_line_feeds(output):
    content = (
        output / "vehicle_manufacturer" / PERIOD / EPOCH / "vehicle_type_consumption.csv"
    ).read_bytes()
    assert content.decode("utf-8").splitlines() == [
        "vehicle_type,consumption_median_kwh_per_100km",
        "'=car,18",
        '"van, ""large""",25',
        "Škoda 電,17",
    ]
    assert not any(b"\r" in content for content in files_of(output).values())


def test_records_of_a_partner_are_its_own_ordered_by_pseudonym_and_values(output):
    header, *rows = rows_of(output, "grid_operator", "charging_records")
    expected = [
        [PERIOD, pseudonym("grid_operator", number), *map(str, record)]
        for number in range(VEHICLES)
        for record in RECORDS[number * 2 // VEHICLES]
    ]
    # 40 before 100, as numbers are ordered.
    expected.sort(key=lambda row: (row[1], int(row[2]), int(row[3]), row[4]))
    assert rows == expected
    assert header == list(LISTED["grid_operator"]["charging_records"])


def test_rows_that_differ_in_columns_that_are_not_delivered_are_one_row(output):
    _, *rows = rows_of(output, "energy_aggregator", "charging_records")
    expected = {
        (str(end), pseudonym("energy_aggregator", number), str(start))
        for number in range(VEHICLES)
        for start, end, _ in RECORDS[number * 2 // VEHICLES]
    }
    assert sorted(map(tuple, rows)) == sorted(expected)
    assert [row[1] for row in rows] == sorted(row[1] for row in rows)


def test_aggregates_are_ordered_by_their_cells(output):
    assert rows_of(output, "energy_aggregator", "session_indicators")[1:] == [
        [PERIOD, "950", "depot", "8"],
        [PERIOD, "1000", "home", "-7"],
        [PERIOD, "50", "public", "90"],
    ]
    assert rows_of(output, "grid_operator", "drive_lengths")[1:] == [
        [PERIOD, "2025-06-09", "evening", ""],
        [PERIOD, "2025-06-09", "morning", "100"],
        [PERIOD, "2025-06-10", "night", "5"],
    ]


def test_an_empty_extract_is_a_header_and_no_row(output):
    assert rows_of(output, "vehicle_manufacturer", "battery_usage") == [
        ["month", "battery_class", "median_energy_kwh"]
    ]


def test_a_month_with_some_rows_is_not_said_to_be_empty(made, tmp_path):
    result = released(made, tmp_path, "--partner", "vehicle_manufacturer")
    assert result.stderr == "Note: battery_usage.csv of vehicle_manufacturer has no row\n"


def test_a_month_that_was_released_empty_needs_a_new_epoch_once_it_has_rows(made, tmp_path):
    released(made, tmp_path / "out", "--partner", "vehicle_manufacturer", "--period", EMPTY_PERIOD)
    filled = fake_warehouse(
        tmp_path,
        "insert into extracts.extract_battery_usage values ('2025-05', 'LFP', 50);"
        " insert into quality.extract_audit values"
        " ('battery_usage', '2025-05', 'LFP', 11, 5, true, null)",
    )
    refusal(run(filled, tmp_path / "out", "--period", EMPTY_PERIOD), ExitCode.RELEASED_BEFORE)


def test_a_month_without_data_is_released_as_headers_and_said(made, tmp_path):
    result = released(made, tmp_path, "--period", EMPTY_PERIOD)
    for partner, extracts in LISTED.items():
        for extract, columns in extracts.items():
            assert rows_of(tmp_path, partner, extract, EMPTY_PERIOD) == [list(columns)]
            assert f"Note: {extract}.csv of {partner} has no row\n" in result.stderr
        assert (
            f"Note: {EMPTY_PERIOD} of {partner} has no row at all: a later release of this month"
            " with rows needs a new epoch\n"
        ) in result.stderr
    assert not result.stdout.count("has no row")


def test_the_manifest_says_what_is_there_and_under_which_limits(output):
    for partner, extracts in LISTED.items():
        said = manifest_of(output, partner)
        files = said.pop("files")
        assert said.pop("project_version")
        assert said == {
            "partner": partner,
            "period": PERIOD,
            "epoch": EPOCH,
            "key_source": "environment",
            "parameters": {
                name: value for name, value in PARAMETERS.items() if name != "extract_epoch"
            },
        }
        assert [file["name"] for file in files] == [f"{extract}.csv" for extract in extracts]
        for file, (extract, columns) in zip(files, extracts.items(), strict=True):
            content = (output / partner / PERIOD / EPOCH / file["name"]).read_bytes()
            assert file["sha256"] == hashlib.sha256(content).hexdigest()
            assert file["rows"] == len(rows_of(output, partner, extract)) - 1
            assert file["columns"] == list(columns)
            is_of_vehicles = extract == "charging_records"
            assert file["protection"] == ("pseudonymised" if is_of_vehicles else "anonymous")


def test_the_terminal_names_each_release(made, tmp_path):
    result = released(made, tmp_path / "out", "--partner", "grid_operator", "--period", PERIOD)
    rows = sum(len(RECORDS[number * 2 // VEHICLES]) for number in range(VEHICLES)) + 3
    assert result.stdout == (
        f"{tmp_path / 'out' / 'grid_operator' / PERIOD / EPOCH}: 2 files, {rows} rows\n"
    )
    assert result.stderr == ""


def test_partners_may_be_named_several_times_and_the_others_get_nothing(made, tmp_path):
    named = ("--partner", "grid_operator", "--partner", "energy_aggregator")
    released(made, tmp_path, *named, "--partner", "grid_operator")
    assert {path.name for path in tmp_path.iterdir()} == {"grid_operator", "energy_aggregator"}


def test_the_period_is_the_latest_month_of_any_extract(tmp_path):
    warehouse = fake_warehouse(
        tmp_path,
        "insert into extracts.extract_battery_usage values ('2025-07', 'LFP', 50);"
        " insert into quality.extract_audit values"
        " ('battery_usage', '2025-07', 'LFP', 11, 5, true, null)",
    )
    released(warehouse, tmp_path / "out", "--partner", "grid_operator")
    assert [path.name for path in (tmp_path / "out" / "grid_operator").iterdir()] == ["2025-07"]


def test_an_ephemeral_key_is_said_in_the_terminal_and_the_manifest(tmp_path):
    warehouse = fake_warehouse(
        tmp_path, "update intermediate.int_extracts__pseudonyms set key_source = 'ephemeral'"
    )
    result = released(warehouse, tmp_path / "out")
    (line,) = [line for line in result.stderr.splitlines() if "ephemeral" in line]
    assert line.startswith("Note: the key of the pseudonyms is ephemeral")
    for partner in PARTNERS:
        assert manifest_of(tmp_path / "out", partner)["key_source"] == "ephemeral"


def test_limits_weaker_than_those_of_the_docs_are_said(tmp_path):
    warehouse = fake_warehouse(
        tmp_path,
        "update intermediate.int_extracts__parameters set value = '3'"
        " where parameter = 'extract_min_vehicles'",
    )
    result = released(warehouse, tmp_path / "out", "--partner", "grid_operator")
    assert "Note: extract_min_vehicles is 3 and should be at least 11\n" in result.stderr


WEAK = {
    "extract_min_vehicles": (10, "at least 11"),
    "extract_min_clients": (4, "at least 5"),
    "extract_p_percent": (0.1, "at least 0.15"),
    "extract_dominance_share": (0.9, "at most 0.85"),
    "extract_energy_step_kwh": (10, "at least 50"),
    "extract_power_step_kw": (0.5, "at least 1"),
    "extract_duration_step_minutes": (1, "at least 5"),
    "extract_soc_step_pct": (1, "at least 5"),
    "extract_distance_step_km": (1, "at least 5"),
    "extract_consumption_step_kwh": (0.5, "at least 1"),
    "extract_share_step_pct": (1, "at least 5"),
    "extract_soc_class_pct": (10, "at least 20"),
    "extract_power_class_kw": ([11, 22, 50], "among [11, 50]"),
    "extract_records_per_vehicle": (4, "at most 3"),
}


def test_every_parameter_of_the_extracts_but_the_epoch_has_a_weakest_value():
    model = PROJECT_ROOT / "models/intermediate/extracts/int_extracts__parameters.sql"
    parameters = set(re.findall(r"'(extract_\w+)'", model.read_text()))
    assert parameters == {"extract_epoch", *WEAK} == set(PARAMETERS)
    for name, (value, wording) in WEAK.items():
        assert weak_limits(PARAMETERS | {name: value}) == [
            f"{name} is {value} and should be {wording}"
        ]


def test_limits_that_are_as_strong_as_those_of_the_docs_are_not_said():
    assert weak_limits(PARAMETERS) == []
    for name, value in PARAMETERS.items():
        if name in ("extract_dominance_share", "extract_records_per_vehicle"):
            assert weak_limits({name: value / 2}) == []
        elif isinstance(value, int | float):
            assert weak_limits({name: value * 2}) == []
    assert weak_limits({"extract_power_class_kw": [50]}) == []
    assert weak_limits({"extract_power_class_kw": [7, 50]}) != []


def test_the_warehouse_is_not_changed(tmp_path):
    warehouse = fake_warehouse(tmp_path)
    before = warehouse.read_bytes()
    released(warehouse, tmp_path / "out")
    assert warehouse.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"warehouse.duckdb", "out"}


# --- released before -------------------------------------------------------------------------


def test_an_identical_release_is_said_and_left_as_it_was(made, tmp_path):
    released(made, tmp_path)
    before = {path: path.stat() for path in tmp_path.rglob("*")}
    result = released(made, tmp_path)
    assert result.stdout.count(", released before and identical\n") == len(PARTNERS)
    for path, stat in before.items():
        assert (path.stat().st_ino, path.stat().st_mtime_ns) == (stat.st_ino, stat.st_mtime_ns)


def test_the_same_warehouse_gives_the_same_bytes(made, output, tmp_path):
    released(made, tmp_path)
    assert files_of(tmp_path) == files_of(output)


CHANGES = {
    "a value": "update extracts.extract_session_indicators set energy_kwh = 1100"
    " where place = 'home'",
    "a row less": "delete from extracts.extract_session_indicators where place = 'public'",
    "a column more": "insert into reference.partner_extracts values"
    " ('energy_aggregator', 'charging_records', 'power_class', 'asked for')",
    "an extract less": "delete from reference.partner_extracts"
    " where partner = 'energy_aggregator' and extract = 'session_indicators'",
    "a limit": "update intermediate.int_extracts__parameters set value = '12'"
    " where parameter = 'extract_min_vehicles'",
    "a key": "update intermediate.int_extracts__pseudonyms"
    " set vehicle_pseudonym = reverse(vehicle_pseudonym);"
    " update extracts.extract_charging_records set vehicle_pseudonym = reverse(vehicle_pseudonym)",
}
AUDITED_AGAIN = "; update quality.extract_audit set vehicles = 12"


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_release_is_refused_and_nothing_is_written(made, tmp_path, change):
    released(made, tmp_path / "out", "--partner", "energy_aggregator")
    before = files_of(tmp_path / "out")
    changed = fake_warehouse(tmp_path, CHANGES[change] + AUDITED_AGAIN)
    line = refusal(run(changed, tmp_path / "out"), ExitCode.RELEASED_BEFORE)
    assert "was released before with other content" in line
    assert line.endswith("needs a new epoch (var extract_epoch)")
    assert files_of(tmp_path / "out") == before


def test_a_changed_release_of_a_new_epoch_stands_beside_the_old_one(made, tmp_path):
    released(made, tmp_path / "out", "--partner", "grid_operator")
    before = files_of(tmp_path / "out")
    changed = fake_warehouse(
        tmp_path,
        "update intermediate.int_extracts__pseudonyms set epoch = '2025b';"
        " update intermediate.int_extracts__parameters set value = '\"2025b\"'"
        " where parameter = 'extract_epoch';"
        " delete from extracts.extract_drive_lengths where day_period = 'night'",
    )
    named = ("--partner", "grid_operator", "--epoch", "2025b")
    result = released(changed, tmp_path / "out", *named)
    after = files_of(tmp_path / "out")
    assert {name: after[name] for name in before} == before
    added = tmp_path / "out" / "grid_operator" / PERIOD / "2025b"
    assert len(after) == 2 * len(before)
    assert json.loads((added / MANIFEST).read_text())["epoch"] == "2025b"
    assert result.stderr == (
        f"Note: {PERIOD} was released to grid_operator before, in epoch {EPOCH}: the two can be"
        " compared\n"
    )
    # Nothing new was sent, and another month can't be compared.
    assert released(made, tmp_path / "out", "--partner", "grid_operator").stderr == ""
    other = released(made, tmp_path / "out", "--period", EMPTY_PERIOD)
    assert "compared" not in other.stderr


@pytest.mark.parametrize("damage", ["changed", "missing", "more", "empty", "a file"])
def test_a_release_that_somebody_changed_is_not_taken_for_the_same(made, tmp_path, damage):
    released(made, tmp_path, "--partner", "grid_operator")
    folder = tmp_path / "grid_operator" / PERIOD / EPOCH
    if damage == "changed":
        with (folder / "drive_lengths.csv").open("a") as file:
            file.write("more\n")
    elif damage == "missing":
        (folder / "drive_lengths.csv").unlink()
    elif damage == "more":
        (folder / "zzz.csv").write_text("")
    else:
        for path in folder.iterdir():
            path.unlink()
        if damage == "a file":
            folder.rmdir()
            folder.write_text("")
    before = files_of(tmp_path)
    refusal(run(made, tmp_path), ExitCode.RELEASED_BEFORE)
    assert files_of(tmp_path) == before


def test_another_version_of_the_project_makes_no_other_release(made, tmp_path, monkeypatch):
    released(made, tmp_path)
    before = files_of(tmp_path)
    monkeypatch.setattr(manifest, "_project_version", lambda: "99.0")
    assert "identical" in released(made, tmp_path).stdout
    assert files_of(tmp_path) == before


# --- refusals --------------------------------------------------------------------------------


REFUSED_OPTIONS = [
    (["--partner", "nobody"], ExitCode.UNKNOWN_PARTNER, "'nobody'.*energy_aggregator"),
    (["--partner", "Grid_operator"], ExitCode.UNKNOWN_PARTNER, "'Grid_operator'"),
    (["--partner", ""], ExitCode.UNKNOWN_PARTNER, "''"),
    (["--partner", "../grid_operator"], ExitCode.UNKNOWN_PARTNER, "no partner"),
    (["--period", "2025-13"], ExitCode.BAD_PERIOD, "'2025-13'"),
    (["--period", "2025-6"], ExitCode.BAD_PERIOD, "'2025-6'"),
    (["--period", "2025-06-01"], ExitCode.BAD_PERIOD, "a month as 2025-06"),
    (["--period", "june"], ExitCode.BAD_PERIOD, "'june'"),
    (["--period", ""], ExitCode.BAD_PERIOD, "''"),
    (["--period", "2025-06\n"], ExitCode.BAD_PERIOD, "a month"),
    (["--period", "../../x"], ExitCode.BAD_PERIOD, "a month"),
    (["--period", "２０２５-06"], ExitCode.BAD_PERIOD, "a month"),
    (["--epoch", "2"], ExitCode.OTHER_EPOCH, "of epoch 1, not of 2"),
    (["--epoch", ""], ExitCode.OTHER_EPOCH, "epoch"),
]


@pytest.mark.parametrize(("arguments", "exit_code", "named"), REFUSED_OPTIONS)
def test_wrong_options_are_refused_before_anything_is_written(
    made, tmp_path, arguments, exit_code, named
):
    line = refusal(run(made, tmp_path / "out", *arguments), exit_code)
    assert re.search(named, line)
    assert not list(tmp_path.iterdir())


LIST = "reference.partner_extracts"
RECORDS_TABLE = "extracts.extract_charging_records"
PSEUDONYMS = "intermediate.int_extracts__pseudonyms"
REFUSED_BEFORE_WRITING = {
    "an unknown extract": (
        f"insert into {LIST} values ('grid_operator', 'secrets', 'month', '')",
        ExitCode.BAD_PARTNER_LIST,
        "an extract 'secrets'",
    ),
    "an unknown column": (
        f"insert into {LIST} values ('grid_operator', 'charging_records', 'soc', '')",
        ExitCode.BAD_PARTNER_LIST,
        "a column 'soc'",
    ),
    "a missing column": (
        f"insert into {LIST} values ('grid_operator', 'charging_records', null, '')",
        ExitCode.BAD_PARTNER_LIST,
        "a column None",
    ),
    "the column partner": (
        f"insert into {LIST} values ('grid_operator', 'charging_records', 'partner', '')",
        ExitCode.BAD_PARTNER_LIST,
        "the column partner",
    ),
    "a column twice": (
        f"insert into {LIST} select * from {LIST} where partner = 'grid_operator' limit 1",
        ExitCode.BAD_PARTNER_LIST,
        "twice",
    ),
    "a partner that is a path": (
        f"update {LIST} set partner = '../elsewhere' where partner = 'grid_operator'",
        ExitCode.BAD_PARTNER_LIST,
        "can't be the name of a folder",
    ),
    "a partner without a name": (
        f"update {LIST} set partner = null where partner = 'grid_operator'",
        ExitCode.BAD_PARTNER_LIST,
        "can't be the name of a folder",
    ),
    "an empty list": (f"delete from {LIST}", ExitCode.BAD_PARTNER_LIST, "no partner"),
    "no list": (f"drop table {LIST}", ExitCode.NO_WAREHOUSE, "partner_extracts"),
    "no audit": ("drop table quality.extract_audit", ExitCode.NO_WAREHOUSE, "extract_audit"),
    "no limits": (
        "drop table intermediate.int_extracts__parameters",
        ExitCode.NO_WAREHOUSE,
        "int_extracts__parameters",
    ),
    "a limit that is missing": (
        "delete from intermediate.int_extracts__parameters where parameter = 'extract_min_clients'",
        ExitCode.NO_WAREHOUSE,
        "extract_min_clients",
    ),
    "a limit of a column less": (
        "delete from intermediate.int_extracts__parameters"
        " where parameter = 'extract_soc_class_pct'",
        ExitCode.NO_WAREHOUSE,
        "extract_soc_class_pct",
    ),
    "records without pseudonyms": (
        f"delete from {LIST} where partner = 'energy_aggregator'"
        " and column_name = 'vehicle_pseudonym'",
        ExitCode.BAD_PARTNER_LIST,
        "columns of charging_records for energy_aggregator and not vehicle_pseudonym, which has to"
        " be listed with them",
    ),
    "no vehicles": ("drop table core.dim_vehicle", ExitCode.NO_WAREHOUSE, "dim_vehicle"),
    "two epochs": (
        f"update {PSEUDONYMS} set epoch = '0' where partner = 'grid_operator'",
        ExitCode.OTHER_EPOCH,
        "epoch 0",
    ),
    "another epoch": (f"update {PSEUDONYMS} set epoch = '0'", ExitCode.OTHER_EPOCH, "epoch 0"),
    "two kinds of keys": (
        f"update {PSEUDONYMS} set key_source = 'ephemeral' where partner = 'grid_operator'",
        ExitCode.OTHER_EPOCH,
        "source ephemeral",
    ),
    "an epoch that is a path": (
        f"update {PSEUDONYMS} set epoch = '../1';"
        " update intermediate.int_extracts__parameters set value = '\"../1\"'"
        " where parameter = 'extract_epoch'",
        ExitCode.OTHER_EPOCH,
        "can't be the name of a folder",
    ),
}


@pytest.mark.parametrize("case", REFUSED_BEFORE_WRITING)
def test_a_warehouse_that_is_not_whole_is_refused_before_anything_is_written(tmp_path, case):
    change, exit_code, named = REFUSED_BEFORE_WRITING[case]
    line = refusal(run(fake_warehouse(tmp_path, change), tmp_path / "out"), exit_code)
    assert named in line
    assert not (tmp_path / "out").exists()


WRONG_LIMITS = [
    ("extract_min_vehicles", '"11"'),
    ("extract_min_vehicles", "null"),
    ("extract_min_vehicles", "true"),
    ("extract_min_vehicles", "NaN"),
    ("extract_min_clients", "5.5"),
    ("extract_min_clients", "[5]"),
    ("extract_energy_step_kwh", "0"),
    ("extract_soc_step_pct", "-5"),
    ("extract_share_step_pct", "Infinity"),
    ("extract_p_percent", '"0.15"'),
    ("extract_dominance_share", "85"),
    ("extract_power_class_kw", "11"),
    ("extract_power_class_kw", "[]"),
    ("extract_power_class_kw", '["11", "50"]'),
    ("extract_records_per_vehicle", "{}"),
    ("extract_soc_class_pct", "no json"),
    ("extract_soc_class_pct", ""),
]


@pytest.mark.parametrize(("name", "value"), WRONG_LIMITS)
def test_a_limit_that_cannot_be_one_is_refused_before_anything_is_written(tmp_path, name, value):
    change = "update intermediate.int_extracts__parameters"
    change += f" set value = '{value}' where parameter = '{name}'"
    line = refusal(run(fake_warehouse(tmp_path, change), tmp_path / "out"), ExitCode.NO_WAREHOUSE)
    assert line.startswith(f"Error: {name} ")
    assert line.endswith("run dbt build")
    assert not (tmp_path / "out").exists()


def test_a_limit_without_a_value_is_refused(tmp_path):
    warehouse = fake_warehouse(
        tmp_path, "update intermediate.int_extracts__parameters set value = null"
    )
    refusal(run(warehouse, tmp_path / "out"), ExitCode.NO_WAREHOUSE)


def test_without_a_row_the_period_has_to_be_named(tmp_path):
    warehouse = fake_warehouse(
        tmp_path,
        "delete from extracts.extract_charging_records; delete from extracts.extract_drive_lengths;"
        "delete from extracts.extract_session_indicators;"
        "delete from extracts.extract_vehicle_type_consumption; delete from quality.extract_audit;"
        "delete from intermediate.int_extracts__pseudonyms",
    )
    line = refusal(run(warehouse, tmp_path / "out"), ExitCode.BAD_PERIOD)
    assert "--period" in line
    released(warehouse, tmp_path / "out", "--period", PERIOD)
    assert manifest_of(tmp_path / "out", "grid_operator")["key_source"] is None


def test_a_warehouse_that_cannot_be_opened_is_refused(tmp_path):
    (tmp_path / "text").write_text("no database")
    (tmp_path / "folder").mkdir()
    duckdb.connect(str(tmp_path / "empty")).close()
    for name in ("nowhere", "text", "folder", "empty"):
        line = refusal(run(tmp_path / name, tmp_path / "out"), ExitCode.NO_WAREHOUSE)
        assert name in line or name == "empty"
    assert not (tmp_path / "out").exists()


def test_a_warehouse_that_is_being_built_is_refused(tmp_path):
    warehouse = fake_warehouse(tmp_path)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print(flush=True); input()",
            warehouse,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        holder.stdout.readline()
        line = refusal(run(warehouse, tmp_path / "out"), ExitCode.NO_WAREHOUSE)
        assert "lock" in line.lower()
        assert not (tmp_path / "out").exists()
    finally:
        holder.communicate(b"\n")
    released(warehouse, tmp_path / "out")


def owned(*numbers):
    names = ", ".join(f"'{pseudonym('grid_operator', number)}'" for number in numbers)
    return f"where vehicle_pseudonym in ({names})"


IN_A_TYPE = "update extracts.extract_vehicle_type_consumption set vehicle_type = '{0}'"
IN_A_TYPE += " where vehicle_type = '=car'; update quality.extract_audit set cell = '{0}'"
IN_A_TYPE += " where cell = '=car'"
AUDIT_CELL = "where extract = 'session_indicators' and cell = 'home'"


def digest(name, text):
    return hashlib.new(name, text.encode()).hexdigest()


PLAIN_HASH = digest("sha256", vehicle_id(3))
REFUSED_BY_THE_AUDIT = {
    "a vehicle id": IN_A_TYPE.format(vehicle_id(3)),
    "a client id": IN_A_TYPE.format(client_id(3)),
    "a vehicle id in small letters": IN_A_TYPE.format(vehicle_id(3).lower()),
    "a vehicle id in a word": IN_A_TYPE.format(f"x{vehicle_id(3)}y"),
    "a client id in a sentence": IN_A_TYPE.format(f"vans of {client_id(3)}, new"),
    "an md5": IN_A_TYPE.format(digest("md5", vehicle_id(3))),
    "a sha1": IN_A_TYPE.format(digest("sha1", client_id(3))),
    "a sha256 in capitals": IN_A_TYPE.format(digest("sha256", vehicle_id(3)).upper()),
    "a sha512 of small letters": IN_A_TYPE.format(digest("sha512", vehicle_id(3).lower())),
    "a shortened sha256": IN_A_TYPE.format(PLAIN_HASH[:20]),
    "a plain hash for a pseudonym": ";".join(
        f"update {table} set vehicle_pseudonym = '{PLAIN_HASH[:32]}' {owned(3)}"
        for table in (RECORDS_TABLE, PSEUDONYMS)
    ),
    "a cell that is hidden": f"update quality.extract_audit set is_published = false {AUDIT_CELL}",
    "a cell of ten vehicles": f"update quality.extract_audit set vehicles = 10 {AUDIT_CELL}",
    "a cell of four clients": f"update quality.extract_audit set clients = 4 {AUDIT_CELL}",
    "a cell that nobody knows": f"delete from quality.extract_audit {AUDIT_CELL}",
    "a cell of another month": f"update quality.extract_audit set month = '2025-05' {AUDIT_CELL}",
    "a cell without a name": "insert into extracts.extract_session_indicators"
    " values ('2025-06', null, 50, 7)",
    "a row of nothing": "insert into extracts.extract_battery_usage values ('2025-06', null, null)",
    "a cell that is not delivered": f"delete from {LIST}"
    " where extract = 'session_indicators' and column_name = 'place'",
    "an extract without known cells": "create table extracts.extract_surprise as"
    " select '2025-06' as month, 'x' as what;"
    f" insert into {LIST} values ('grid_operator', 'surprise', 'what', '')",
    "a set of ten vehicles": f"delete from {RECORDS_TABLE} {owned(0, 1)}",
    "a set of four clients": "update core.dim_vehicle set client_id = 'CLIENT-0'"
    " where client_id in ('CLIENT-1', 'CLIENT-2')",
    "a set of unknown clients": "update core.dim_vehicle set client_id = null"
    " where client_id in ('CLIENT-1', 'CLIENT-2')",
    "a set of one": f"update {RECORDS_TABLE} set soc_end_pct = 60 {owned(VEHICLES - 1)}",
    "a row less": f"delete from {RECORDS_TABLE} {owned(0)} and soc_start_pct = 40",
    "a pseudonym for two vehicles": ";".join(
        f"update {table} set vehicle_pseudonym = '{pseudonym('grid_operator', 0)}' {owned(1, 2)}"
        for table in (RECORDS_TABLE, PSEUDONYMS)
    ),
}


@pytest.mark.parametrize("case", REFUSED_BY_THE_AUDIT)
def test_the_audit_refuses_what_tells_of_somebody(tmp_path, case):
    warehouse = fake_warehouse(tmp_path, REFUSED_BY_THE_AUDIT[case])
    line = refusal(run(warehouse, tmp_path / "out"), ExitCode.AUDIT_FAILED)
    assert "the audit of" in line
    assert files_of(tmp_path / "out") == {}
    assert not list((tmp_path / "out").iterdir())
    # The line may be mailed around: it doesn't repeat what it found.
    assert not any(vehicle_id(number) in line for number in range(VEHICLES))
    assert not any(client_id(number) in line for number in range(CLIENTS))


STALE = {
    "another key": f"update {RECORDS_TABLE} set vehicle_pseudonym = reverse(vehicle_pseudonym)",
    "one of another partner": f"update {RECORDS_TABLE}"
    f" set vehicle_pseudonym = '{pseudonym('energy_aggregator', 0)}' {owned(0)}",
    "one of another month": f"update {PSEUDONYMS} set month = '2025-07' {owned(0)}",
    "none": f"update {RECORDS_TABLE} set vehicle_pseudonym = null {owned(0)}",
    "a vehicle id": f"delete from core.dim_vehicle where vehicle_id = '{vehicle_id(0)}';"
    f" update {RECORDS_TABLE} set vehicle_pseudonym = '{vehicle_id(0)}' {owned(0)}",
}


@pytest.mark.parametrize("case", STALE)
def test_pseudonyms_of_another_build_are_refused(tmp_path, case):
    warehouse = fake_warehouse(tmp_path, STALE[case])
    line = refusal(run(warehouse, tmp_path / "out"), ExitCode.STALE_PSEUDONYMS)
    assert line.endswith(": run dbt build again")
    assert files_of(tmp_path / "out") == {}


# What the extracts show, whatever int_extracts__parameters says.
OTHER_BUILDS = {
    "extract_energy_step_kwh": "update extracts.extract_session_indicators set energy_kwh = 960"
    " where place = 'depot'",
    "extract_power_step_kw": "alter table extracts.extract_session_indicators"
    " alter median_power_kw type decimal(9, 3);"
    " update extracts.extract_session_indicators set median_power_kw = 7.5 where place = 'home'",
    "extract_distance_step_km": "update extracts.extract_drive_lengths set median_distance_km = 7"
    " where median_distance_km = 5",
    "extract_consumption_step_kwh": "alter table extracts.extract_vehicle_type_consumption"
    " alter consumption_median_kwh_per_100km type double;"
    " update extracts.extract_vehicle_type_consumption"
    " set consumption_median_kwh_per_100km = 17.25 where vehicle_type = 'Škoda 電'",
    "extract_soc_class_pct": f"update {RECORDS_TABLE} set soc_start_pct = 10"
    " where soc_start_pct = 20",
    "extract_power_class_kw": f"update {RECORDS_TABLE} set power_class = '11 to 22'"
    " where power_class = 'above 50'",
    "extract_records_per_vehicle": f"insert into {RECORDS_TABLE}"
    f" select distinct on (vehicle_pseudonym) partner, month, vehicle_pseudonym, 60, 80, 'unknown'"
    f" from {RECORDS_TABLE} where soc_start_pct = 20",
}


@pytest.mark.parametrize("limit", OTHER_BUILDS)
def test_extracts_that_were_built_with_other_limits_are_refused(tmp_path, limit):
    warehouse = fake_warehouse(tmp_path, OTHER_BUILDS[limit])
    line = refusal(run(warehouse, tmp_path / "out"), ExitCode.AUDIT_FAILED)
    assert line.endswith(f" isn't as {limit} {PARAMETERS[limit]} makes it: run dbt build again")
    assert files_of(tmp_path / "out") == {}


def test_the_limits_of_another_build_are_refused(tmp_path):
    change = "update intermediate.int_extracts__parameters set value = '[11]'"
    change += " where parameter = 'extract_power_class_kw'"
    line = refusal(run(fake_warehouse(tmp_path, change), tmp_path / "out"), ExitCode.AUDIT_FAILED)
    assert "power_class isn't as extract_power_class_kw [11] makes it" in line


def figures(column, kind, *told, **parameters):
    """Audit figures of an extract of one column."""
    delivery = Delivery("session_indicators", (column,), {column: kind})
    audit_figures([[text] for text in told], delivery, PARAMETERS | parameters)


@pytest.mark.parametrize(
    ("column", "kind", "told"),
    [
        ("energy_kwh", "BIGINT", ["0", "50", "1000", "-50", ""]),
        ("median_energy_kwh", "DOUBLE", ["100.0"]),
        ("median_soc_start_pct", "INTEGER", ["25"]),
        ("soc_lost_per_hour_driven_pct", "INTEGER", ["5"]),
        ("soc_end_pct", "INTEGER", ["80"]),
        ("weekday", "INTEGER", ["3"]),
        ("drive_date", "DATE", ["2025-06-03"]),
        ("power_class", "VARCHAR", ["up to 11", "11 to 50", "above 50", "unknown"]),
        ("soc_lost_per_day_standing", "VARCHAR", ["1 to 2"]),
    ],
)
def test_rounded_figures_pass_the_audit(column, kind, told):
    figures(column, kind, *told)


@pytest.mark.parametrize(
    ("column", "kind", "told"),
    [
        ("energy_kwh", "BIGINT", "51"),
        ("energy_kwh", "VARCHAR", "51"),
        ("median_energy_kwh", "DOUBLE", "50.000001"),
        ("median_energy_kwh", "DOUBLE", "nan"),
        ("median_energy_kwh", "DOUBLE", "inf"),
        ("median_energy_kwh", "DOUBLE", "much"),
        ("median_duration_minutes", "INTEGER", "31"),
        ("median_soc_end_pct", "INTEGER", "81"),
        ("soc_end_pct", "INTEGER", "75"),
        ("long_drives_share_pct", "INTEGER", "12"),
        ("power_class", "VARCHAR", "11 to 22"),
        ("surprise", "INTEGER", "50"),
        ("mean_energy_kwh", "DECIMAL(18,6)", ""),
    ],
)
def test_exact_figures_and_unknown_numbers_are_refused(column, kind, told):
    with pytest.raises(Refusal, match=f"the audit of .* failed: .*{column}") as why:
        figures(column, kind, told)
    assert why.value.exit_code == ExitCode.AUDIT_FAILED


def test_a_share_may_be_100_less_a_step_that_does_not_divide_100():
    figures("complete_share_pct", "INTEGER", "30", "85", extract_share_step_pct=15)
    with pytest.raises(Refusal):
        figures("complete_share_pct", "INTEGER", "95", extract_share_step_pct=15)


TAMPERED = {
    "the rows aren't in their order": lambda lines: [lines[0], *reversed(lines[1:])],
    "a row is there twice": lambda lines: [*lines, lines[-1]],
    "the header isn't": lambda lines: [lines[0].replace("place", "site"), *lines[1:]],
    "not as many values": lambda lines: [*lines[:-1], lines[-1].rpartition(",")[0]],
    "energy_kwh isn't as": lambda lines: [*lines[:-1], lines[-1].replace("50", "51")],
    "energy_kwh isn't as ": lambda lines: [*lines[:-1], lines[-1].replace("50", "fifty")],
    "has a formula in place": lambda lines: [*lines, f"{PERIOD},50,=1+1,7"],
    "is of another month": lambda lines: [*lines[:-1], lines[-1].replace(PERIOD, EMPTY_PERIOD)],
    "the file is no CSV": lambda lines: [*lines[:-1], lines[-1].replace("public", '"public')],
    "the file is no CSV ": lambda lines: [],
}


@pytest.mark.parametrize("case", TAMPERED)
def test_the_audit_reads_the_bytes_that_are_staged(made, tmp_path, monkeypatch, case):
    def tampering(folder, contents):
        contents = dict(contents)
        said = json.loads(contents[MANIFEST])
        for file in said["files"]:
            if file["name"] == "session_indicators.csv":
                lines = TAMPERED[case](contents[file["name"]].decode().splitlines())
                contents[file["name"]] = "".join(f"{line}\n" for line in lines).encode()
                file["sha256"] = hashlib.sha256(contents[file["name"]]).hexdigest()
        staging.write_folder(folder, contents | {MANIFEST: json.dumps(said).encode()})

    monkeypatch.setattr(export, "write_folder", tampering)
    line = refusal(run(made, tmp_path), ExitCode.AUDIT_FAILED)
    assert line.startswith("Error: the audit of session_indicators failed: ")
    assert case.strip() in line
    assert files_of(tmp_path) == {}


def test_files_that_are_not_those_of_the_manifest_are_refused(made, tmp_path, monkeypatch):
    def forgetful(folder, contents):
        staging.write_folder(folder, contents)
        (folder / "drive_lengths.csv").unlink(missing_ok=True)

    monkeypatch.setattr(export, "write_folder", forgetful)
    line = refusal(run(made, tmp_path), ExitCode.AUDIT_FAILED)
    assert "aren't those of the manifest" in line
    assert files_of(tmp_path) == {}


def test_one_partner_that_is_refused_stops_all(tmp_path):
    warehouse = fake_warehouse(tmp_path, IN_A_TYPE.format(vehicle_id(3)))
    refusal(run(warehouse, tmp_path / "out"), ExitCode.AUDIT_FAILED)
    assert files_of(tmp_path / "out") == {}
    released(warehouse, tmp_path / "out", "--partner", "grid_operator")


def test_exit_codes_are_all_different_and_apart_from_those_of_click():
    assert len(set(ExitCode)) == len(ExitCode.__members__)
    assert not {0, 1, 2} & set(ExitCode)


# --- texts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@sum", "\tx", "\rx", "\nx", "  =1", "=", "＝1", "\u00a0=1"]
)
def test_a_text_that_could_be_a_formula_gets_an_apostrophe(text):
    assert safe_text(text) == f"'{text}"
    assert not is_formula(safe_text(text))


@pytest.mark.parametrize("text", ["", "a=1", "1-2", "'=1", " ", "up to 11 kW", "2025-06"])
def test_other_texts_stay_as_they_are(text):
    assert safe_text(text) == text


@given(st.text())
def test_no_safe_text_is_a_formula(text):
    assert not is_formula(safe_text(text))
    if not text.startswith("'"):
        assert original_text(safe_text(text)) == text


@given(st.lists(st.lists(st.text(), min_size=2, max_size=4), max_size=5))
def test_every_text_comes_back_from_csv(rows):
    assert csv_rows(csv_bytes(rows)) == rows


def test_short_ids_are_found_as_words_and_not_in_numbers():
    traces = IdentityTraces(["ab12", "17", "  Acme Ltd ", "20250601", "WFAKE000000000001"])
    found = traces.found_in(
        ["AB12", "xAB12", "van-ab12", "17", "170", "1.17", "of acme ltd", "2025-06", "20250601"]
    )
    assert set(found) == {"AB12", "van-ab12", "17", "of acme ltd", "20250601"}
    assert set(found.values()) == {"an id"}
    assert IdentityTraces([]).found_in(["", "text"]) == {}


# --- whole or not at all ---------------------------------------------------------------------


TWO_PARTNERS = ("--partner", PARTNERS[0], "--partner", PARTNERS[1])


def assert_releases_are_whole(folder, expected):
    """Whatever releases are there are complete, and nothing else is to be seen."""
    visible = {
        name: content
        for name, content in files_of(folder).items()
        if not name.startswith(f"{staging.STAGING}/")
    }
    places = {name.rpartition("/")[0] for name in visible}
    assert visible == {
        name: content for name, content in expected.items() if name.rpartition("/")[0] in places
    }
    return len(places)


def assert_the_next_export_succeeds(warehouse, folder, expected):
    released(warehouse, folder)
    assert files_of(folder) == expected
    assert not (folder / staging.STAGING).exists()


def test_a_full_disk_at_any_step_leaves_whole_releases(made, output, tmp_path):
    expected = files_of(output)
    with at_call(0, lambda: None) as calls:
        released(made, tmp_path / "count", *TWO_PARTNERS)
    for number in range(1, len(calls) + 1):
        folder = tmp_path / str(number)
        with at_call(number, fill_the_disk):
            result = run(made, folder, *TWO_PARTNERS)
        assert_releases_are_whole(folder, expected)
        if result.exit_code:
            line = refusal(result, ExitCode.OUTPUT_FAILED)
            assert line == f"Error: can't write into {folder}: No space left on device"
        assert_the_next_export_succeeds(made, folder, expected)


def fill_the_disk():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_kill_at_any_step_leaves_whole_releases(made, output, tmp_path):
    expected = files_of(output)
    subprocess.run(
        [sys.executable, killed_exports.__file__, made, tmp_path, *TWO_PARTNERS],
        env={**os.environ, "PYTHONPATH": str(SCRIPT.parent)},
        check=True,
        timeout=120,
    )
    killed = sorted(tmp_path.iterdir())
    with at_call(0, lambda: None) as calls:
        released(made, tmp_path / "count", *TWO_PARTNERS)
    # The first call would have made the folder; one export came through at last.
    assert len(killed) == len(calls)
    places = [assert_releases_are_whole(folder, expected) for folder in killed]
    assert set(places) == {0, 1, 2}
    assert sum((folder / staging.STAGING).exists() for folder in killed) > len(killed) / 2
    for folder in killed:
        assert_the_next_export_succeeds(made, folder, expected)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A warehouse whose export takes a while, and its releases."""
    warehouse = fake_warehouse(tmp_path_factory.mktemp("large"), vehicles=8_000)
    folder = tmp_path_factory.mktemp("large-output")
    released(warehouse, folder)
    return warehouse, files_of(folder)


def test_a_kill_at_a_random_moment_leaves_whole_releases(large, tmp_path):
    warehouse, expected = large
    draws = random.Random(6)
    interrupted = 0
    for number in range(6):
        folder = tmp_path / str(number % 2)
        process = start(warehouse, folder)
        try:
            deadline = time.monotonic() + 60
            while not (folder / staging.STAGING).exists() and process.poll() is None:
                assert time.monotonic() < deadline
                time.sleep(0.002)
            time.sleep(draws.uniform(0, 0.4))
        finally:
            process.kill()
            process.communicate()
        interrupted += process.returncode == -signal.SIGKILL
        assert_releases_are_whole(folder, expected)
    assert interrupted
    for folder in tmp_path.iterdir():
        assert_the_next_export_succeeds(warehouse, folder, expected)


def test_an_interrupted_export_clears_up_behind_itself(made, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "rename", interrupt)
    result = run(made, tmp_path)
    assert result.exit_code == 1
    assert files_of(tmp_path) == {}
    assert not (tmp_path / staging.STAGING).exists()


def test_two_exports_at_once_wait_for_each_other(made, output, tmp_path):
    processes = [start(made, tmp_path) for _ in range(2)]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    said = [stdout.count("released before and identical") for stdout, _ in outputs]
    assert sorted(said) == [0, len(PARTNERS)]
    assert files_of(tmp_path) == files_of(output)


def test_an_export_does_not_wait_for_ever(made, tmp_path, monkeypatch):
    monkeypatch.setattr(staging.time, "sleep", lambda _: None)
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        line = refusal(run(made, tmp_path), ExitCode.OUTPUT_BUSY)
        assert line == f"Error: another export is writing into {tmp_path}: try again later"
        assert list(tmp_path.iterdir()) == []
    finally:
        os.close(descriptor)
    released(made, tmp_path)


# --- where it is written ---------------------------------------------------------------------


def test_a_file_that_cannot_grow_is_said_and_nothing_stays(large, tmp_path):
    warehouse, _ = large
    limited = "import os, resource as r, sys; r.setrlimit(r.RLIMIT_FSIZE, (20_000, 20_000));"
    limited += "os.execv(sys.argv[1], sys.argv[1:])"
    process = start(warehouse, tmp_path / "out", sys.executable, "-c", limited)
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == ExitCode.OUTPUT_FAILED, stderr
    assert stdout == ""
    assert stderr == f"Error: can't write into {tmp_path / 'out'}: File too large\n"
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_an_output_that_is_no_folder_is_refused(made, tmp_path, place):
    (tmp_path / "file").write_text("mine")
    line = refusal(run(made, tmp_path / place), ExitCode.OUTPUT_FAILED)
    assert line.startswith(f"Error: can't write into {tmp_path / place}: ")
    assert files_of(tmp_path) == {"file": b"mine"}


@pytest.mark.parametrize("name", ["vehicle_manufacturer", f"vehicle_manufacturer/{PERIOD}"])
def test_a_file_in_the_way_of_one_release_stops_all(made, tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    line = refusal(run(made, tmp_path), ExitCode.OUTPUT_FAILED)
    assert line == f"Error: {tmp_path / name} is in the way: it is no folder"
    assert files_of(tmp_path) == {name: b"mine"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_output_without_permission_is_refused(made, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    line = refusal(run(made, tmp_path / "closed"), ExitCode.OUTPUT_FAILED)
    assert "Permission denied" in line


@pytest.mark.parametrize(
    "name", ["with a blank", "it's", 'a "quote"', "Škoda 電", "a\nline", "-x", "%s {0}", ".hidden"]
)
def test_folders_may_have_odd_names(made, output, tmp_path, name):
    released(made, tmp_path / name / "out")
    assert files_of(tmp_path / name / "out") == files_of(output)


def test_a_relative_output_is_seen_from_where_the_user_is(made, output, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = released(made, "./out/../out")
    assert result.stdout.startswith(f"out/../out/energy_aggregator/{PERIOD}/{EPOCH}: ")
    assert files_of(tmp_path / "out") == files_of(output)


def test_the_output_may_be_a_link_to_a_folder(made, output, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    released(made, tmp_path / "link")
    assert files_of(tmp_path / "real") == files_of(output)
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("is_dangling", [False, True])
def test_a_link_on_the_way_to_a_release_is_refused(made, tmp_path, depth, is_dangling):
    (tmp_path / "out").mkdir()
    elsewhere = tmp_path / "elsewhere"
    if not is_dangling:
        elsewhere.mkdir()
    link = (tmp_path / "out").joinpath(*("grid_operator", PERIOD, EPOCH)[:depth])
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(elsewhere)
    line = refusal(run(made, tmp_path / "out"), ExitCode.OUTPUT_FAILED)
    assert line == f"Error: {link} is a link, and a release must be a folder"
    assert files_of(tmp_path) == {}


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_a_killed_export_left_is_removed_and_nothing_else(made, output, tmp_path, kind):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "photo").write_text("mine")
    folder = tmp_path / "out"
    folder.mkdir()
    left = folder / staging.STAGING
    if kind == "folder":
        (left / "grid_operator").mkdir(parents=True)
        (left / "grid_operator" / "charging_records.csv").write_text("half")
        (left / "link").symlink_to(precious)
    elif kind == "file":
        left.write_text("")
    else:
        left.symlink_to(precious)
    (folder / "notes.txt").write_text("mine")
    released(made, folder)
    assert (precious / "photo").read_text() == "mine"
    assert files_of(folder) == {**files_of(output), "notes.txt": b"mine"}


@pytest.mark.parametrize("mask", [0, 0o022, 0o777])
def test_releases_are_for_their_owner_alone_whatever_the_umask(made, tmp_path, mask):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o755)
    before = os.umask(mask)
    try:
        released(made, tmp_path / "shared" / "new" / "out")
    finally:
        os.umask(before)
    paths = list((tmp_path / "shared").rglob("*"))
    assert any(path.is_file() for path in paths)
    for path in paths:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)
    assert (tmp_path / "shared").stat().st_mode & 0o777 == 0o755


def test_what_is_staged_is_for_its_owner_alone(made, tmp_path, monkeypatch):
    modes = {}

    def looking(folder, contents):
        staging.write_folder(folder, contents)
        for path in (folder.parent, folder, *folder.iterdir()):
            modes[path] = path.stat().st_mode & 0o777

    monkeypatch.setattr(export, "write_folder", looking)
    released(made, tmp_path)
    assert set(modes.values()) == {0o700, 0o600}
    assert modes[tmp_path / staging.STAGING] == 0o700


def test_make_hands_over_what_is_named():
    def command_of(*named):
        words = ["make", "--no-print-directory", "--dry-run", "extracts", *named]
        result = subprocess.run(words, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
        return shlex.split(result.stdout.splitlines()[-1])[1:]

    script = "python_scripts/export_extracts.py"
    assert command_of() == [script]
    assert command_of("PARTNER=one two", "PERIOD=2025-06", "OUTPUT=a folder") == [
        *(script, "--partner", "one", "--partner", "two"),
        *("--period", "2025-06", "--output", "a folder"),
    ]


def test_git_ignores_releases():
    assert "/releases/" in (PROJECT_ROOT / ".gitignore").read_text().splitlines()


# --- on the warehouse of the seeds -----------------------------------------------------------


def test_every_number_of_the_extracts_is_known_to_the_audit(connection):
    for table, types in column_types(connection, "extracts").items():
        delivered = tuple(column for column in types if column != "partner")
        delivery = Delivery(table.removeprefix("extract_"), delivered, types)
        audit_figures([], delivery, PARAMETERS)


def test_the_warehouse_of_the_seeds_is_released(warehouse, connection, tmp_path):
    result = released(warehouse, tmp_path)
    listed = connection.sql("select distinct partner from reference.partner_extracts").fetchall()
    assert result.stdout.count(": ") == len(listed)
    rows = Counter()
    for (partner,) in listed:
        (folder,) = tmp_path.glob(f"{partner}/*/*")
        said = json.loads((folder / MANIFEST).read_text())
        for file in said["files"]:
            content = (folder / file["name"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == file["sha256"]
            header, *lines = csv.reader(content.decode().splitlines())
            assert header == file["columns"]
            assert len(lines) == file["rows"]
            rows[file["name"]] += len(lines)
    assert min(rows.values()) > 0
    assert set(rows) == {
        f"{table.removeprefix('extract_')}.csv"
        for (table,) in connection.sql(
            "select table_name from information_schema.tables where table_schema = 'extracts'"
        ).fetchall()
    }
    released_text = "".join(content.decode() for content in files_of(tmp_path).values()).upper()
    for ids in connection.sql(
        "select vehicle_id, client_id from core.dim_vehicle where source_system = 'telematics'"
    ).fetchall():
        assert not any(id_ in released_text for id_ in ids if id_)
    again = released(warehouse, tmp_path)
    assert again.stdout.count("released before and identical") == len(listed)
