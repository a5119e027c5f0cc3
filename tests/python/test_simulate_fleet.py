"""The command that simulates a fleet: its files, its manifest, its refusals, and the seeds."""

import csv
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

import simulate_fleet as command
from dbt_runner import PROJECT_ROOT
from ev_charging.bad_rows import DUPLICATE, SUPERSEDED
from ev_charging.market.prices import hourly_prices
from ev_charging.simulation import output
from ev_charging.simulation.config import Dispatch, FleetConfig
from ev_charging.simulation.damage import KINDS, USUAL_SHARES
from ev_charging.simulation.dispatch import NO_ENERGY
from ev_charging.simulation.manifest import MANIFEST_FILE
from ev_charging.simulation.output import steps, write_run
from ev_charging.simulation.run import Run
from ev_charging.simulation.run_prices import market_prices, read_prices
from ev_charging.simulation.seeds import (
    BAD_ROWS,
    COUNTERFACTUAL,
    SEED_DAYS,
    SEED_USERS,
    seed_file,
    seed_runs,
    seed_tables,
)
from ev_charging.simulation.simulator import STATES, Fleet
from ev_charging.simulation.tables import FEEDS, feed_name
from simulated_fleets import archetypes, prices

SEED = 42
SEEDS_FOLDER = command.SEEDS_FOLDER
FEED_NAMES = [*map(feed_name, FEEDS), "market__prices"]
SMALL = ("--users", 40, "--days", 6, "--start", "2024-10-24")
DISPATCH = ("--controller", "smart", "--dispatch", "drain", "--dispatch-date", "2024-10-28")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def run(*arguments):
    return CliRunner().invoke(command.simulate_fleet, [str(argument) for argument in arguments])


def written(folder, *arguments):
    result = run("--output", folder, *SMALL, *arguments)
    assert result.exit_code == 0, result.output
    return folder


def read(folder, feed, file_format="csv"):
    path = str(folder / f"{feed}.{file_format}")
    if file_format == "parquet":
        return duckdb.read_parquet(path)
    return duckdb.read_csv(path, all_varchar=True)


def frame(folder, table):
    return read(folder, feed_name(table)).df()


def manifest_of(folder):
    return json.loads((folder / MANIFEST_FILE).read_text())


def contract(feed):
    path = PROJECT_ROOT / "seeds" / "raw" / f"raw_{feed}.yml"
    (seed,) = yaml.safe_load(path.read_text())["seeds"]
    return [column["name"] for column in seed["columns"]]


@pytest.fixture(scope="module")
def dispatched(tmp_path_factory):
    return written(tmp_path_factory.mktemp("runs") / "new" / "dispatched", *DISPATCH)


@pytest.fixture(scope="module")
def simulated():
    """The tables of the fleet that `dispatched` holds as files."""
    dispatch = Dispatch(dates=(date(2024, 10, 28),))
    config = FleetConfig(
        users=40, days=6, start=date(2024, 10, 24), controller="smart", dispatch=dispatch
    )
    fleet = Fleet(config, archetypes(), prices())
    days = list(fleet.days())
    tables = {
        name: pd.concat([pd.DataFrame(day[name]) for day in days if name in day])
        for name in set().union(*days)
    }
    return {"users": pd.DataFrame(fleet.users())} | tables


# --- files -----------------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_a_run_is_eight_feeds_and_a_manifest(tmp_path, dispatched, file_format):
    folder = written(tmp_path / "run", *DISPATCH, "--format", file_format)
    assert {path.name for path in folder.iterdir()} == {
        *(f"{feed}.{file_format}" for feed in FEED_NAMES),
        MANIFEST_FILE,
    }
    for feed in FEED_NAMES:
        source = read(folder, feed, file_format)
        assert source.columns == contract(feed)
        assert {str(kind) for kind in source.types} == {"VARCHAR"}
        assert source.fetchall() == read(dispatched, feed).fetchall()


def test_each_table_is_written_as_it_was_simulated(dispatched, simulated):
    for table in simulated:
        assert len(frame(dispatched, table)) == len(simulated[table]) > 0
    assert frame(dispatched, "injected_damage").empty

    telemetry, truth = frame(dispatched, "telemetry"), simulated["telemetry"]
    for column, name in (
        ("import_kwh", "import_wh"),
        ("export_kwh", "export_wh"),
        ("import_register_kwh", "import_register_wh"),
        ("export_register_kwh", "export_register_wh"),
    ):
        assert telemetry[column].map(Decimal).mul(1000).tolist() == truth[name].tolist()
        assert telemetry[column].str.fullmatch(r"\d+\.\d{3}").all()
    assert telemetry["soc_pct"].str.fullmatch(r"\d+\.\d\d").all()
    np.testing.assert_allclose(telemetry["soc_pct"].astype(float), truth["soc_pct"], atol=0.00501)
    assert telemetry["state"].tolist() == [STATES[code] for code in truth["state"]]
    assert set(telemetry["state"]) == set(STATES)
    assert telemetry["user_id"].tolist() == [f"u{user + 1}" for user in truth["user"]]
    for column in ("starts_at", "ends_at"):
        assert telemetry[column].str.fullmatch(INSTANT).all()
        instants = pd.to_datetime(telemetry[column]).dt.tz_localize(None)
        assert instants.to_numpy("datetime64[s]").astype(int).tolist() == truth[column].tolist()


def test_what_is_not_known_is_empty(dispatched, simulated):
    stays, truth = frame(dispatched, "session_truth"), simulated["session_truth"]
    is_open = (truth["plugged_out_at"] < 0).to_numpy()
    assert stays["plugged_out_at"].isna().tolist() == is_open.tolist()
    assert 0 < is_open.sum() < len(stays)
    for column in ("charging_started_at", "charging_ended_at"):
        assert stays[column].isna().tolist() == (truth[column] < 0).tolist()
    assert stays["charging_started_at"].isna().any()
    told, truth = frame(dispatched, "dispatches"), simulated["dispatches"]
    assert (told["energy_kwh"].isna() == (truth["energy_wh"] == NO_ENERGY).to_numpy()).all()
    assert (told["energy_kwh"].isna() == (told["event"] == "acknowledged")).all()
    assert told["counterfactual_run_id"].isna().all()
    assert set(told["dispatch_id"]) == {"2024-10-28"}
    assert set(told["mode"]) == {"drain"}


def test_imported_energy_is_the_difference_of_the_registers(dispatched):
    rows = frame(dispatched, "telemetry").sort_values(["user_id", "starts_at"])
    for column, register in (
        ("import_kwh", "import_register_kwh"),
        ("export_kwh", "export_register_kwh"),
    ):
        registers = rows[register].map(Decimal)
        follows = rows["user_id"] == rows["user_id"].shift()
        risen = registers.diff()[follows]
        assert (risen == rows[column].map(Decimal)[follows]).all()
        assert risen.max() > 1


def test_every_row_names_its_run(tmp_path, dispatched):
    for table in set(FEEDS) - {"injected_damage"}:
        assert set(frame(dispatched, table)["run_id"]) == {"smart-drain"}
    folder = written(
        *(tmp_path, *DISPATCH, "--run-id", "trial-1", "--counterfactual-run-id", "plain"),
        *("--zone", "GB", "--first-user", 7),
    )
    told = frame(folder, "dispatches")
    assert set(told["run_id"]) == {"trial-1"}
    assert set(told["counterfactual_run_id"]) == {"plain"}
    users = frame(folder, "users")
    assert users["user_id"].tolist() == [f"u{number}" for number in range(8, 48)]
    assert set(users["price_zone"]) == {"GB"}
    assert set(users["time_zone"]) == {"Europe/London"}
    assert set(frame(written(tmp_path / "smart", "--controller", "smart"), "users")["run_id"]) == {
        "smart"
    }


def test_runs_of_other_seeds_are_on_the_same_market(tmp_path, dispatched):
    folder = written(tmp_path, "--seed", 7)
    assert read(folder, "market__prices").df().equals(read(dispatched, "market__prices").df())


def test_prices_are_those_of_the_market_from_the_warm_up_on(dispatched):
    given = read(dispatched, "market__prices").df()
    starts_at = pd.to_datetime(given["starts_at"]).dt.tz_localize(None)
    assert starts_at.min() <= pd.Timestamp("2024-10-16T22:00")
    assert starts_at.max() >= pd.Timestamp("2024-10-31T22:00")
    market = hourly_prices("NO3", date(2024, 1, 1), 366, SEED).set_index("starts_at")
    expected = market.loc[starts_at.to_numpy("datetime64[s]"), "eur_per_mwh"]
    assert given["eur_per_mwh"].astype(float).tolist() == expected.tolist()


def test_the_same_run_is_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        written(tmp_path / name, "--damage", "--controller", "smart", "--format", "parquet")
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_damage_comes_with_its_record(tmp_path):
    folder = written(tmp_path, "--users", 400, "--damage")
    assert set(frame(folder, "injected_damage")["damage_kind"]) == set(KINDS)
    assert set(frame(folder, "injected_damage")["run_id"]) == {"uncontrolled"}
    assert manifest_of(folder)["config"]["damage_shares"] == USUAL_SHARES


def test_options_reach_the_fleet(tmp_path):
    folder = written(
        *(tmp_path, "--mode", "sketch", "--controller", "smart", "--jitter-minutes", 12.5),
        *("--cap-kw-per-car", 1.5, "--step-minutes", 15, "--warm-up-days", 3, "--seed", 9),
        *("--dispatch", "pause", "--dispatch-start", "16:30", "--dispatch-end", "19:00"),
        *("--dispatch-notice-minutes", 30, "--dispatch-acknowledged-share", 0.5),
        *("--time-zone", "Europe/Helsinki"),
    )
    config = manifest_of(folder)["config"]
    expected = {
        **{"users": 40, "days": 6, "start": "2024-10-24", "first_user": 0, "seed": 9},
        **{"mode": "sketch", "controller": "smart", "jitter_minutes": 12.5},
        **{"cap_kw_per_car": 1.5, "step_minutes": 15, "warm_up_days": 3},
        **{"zone": "NO3", "time_zone": "Europe/Helsinki"},
        "dispatch": {
            **{"mode": "pause", "start": "16:30", "end": "19:00", "dates": []},
            **{"notice_minutes": 30, "acknowledged_share": 0.5},
        },
    }
    assert {name: config[name] for name in expected} == expected
    starts_at = pd.to_datetime(frame(folder, "telemetry")["starts_at"])
    assert (starts_at.dt.minute % 15 == 0).mean() > 0.9
    assert (starts_at.dt.minute % 30 == 15).mean() > 0.4


def test_the_start_of_a_schedule_and_the_clock_of_a_zone_reach_the_fleet(tmp_path):
    folder = written(
        *(tmp_path, "--controller", "scheduled", "--scheduled-start", "01:15", "--zone", "GB")
    )
    config = manifest_of(folder)["config"]
    assert (config["scheduled_start"], config["time_zone"]) == ("01:15", "Europe/London")


def test_own_archetypes_take_the_place_of_the_published(tmp_path):
    lines = command.ARCHETYPES.read_text().splitlines()
    own = tmp_path / "own.csv"
    own.write_text("\n".join([lines[0], lines[1].replace(",40,", ",100,", 1)]) + "\n")
    folder = written(tmp_path / "run", "--archetypes", own)
    assert set(frame(folder, "users")["archetype"]) == {"Average (UK)"}


# --- prices of one's own ---------------------------------------------------------------------


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_prices_of_a_run_can_be_given_to_another(tmp_path, file_format):
    first = written(tmp_path / "a", "--controller", "smart", "--format", file_format)
    file = first / f"market__prices.{file_format}"
    second = written(
        tmp_path / "b", "--controller", "smart", "--format", file_format, "--prices", file
    )
    name = f"simulator__telemetry.{file_format}"
    assert (first / name).read_bytes() == (second / name).read_bytes()


def test_other_prices_move_the_charges_of_a_smart_controller(tmp_path):
    first = written(tmp_path / "a", "--controller", "smart")
    turned = read(first, "market__prices").df()
    turned["eur_per_mwh"] = (-turned["eur_per_mwh"].astype(float)).astype(str)
    turned.to_csv(tmp_path / "turned.csv", index=False)
    second = written(tmp_path / "b", "--controller", "smart", "--prices", tmp_path / "turned.csv")
    drives = ["user_id", "departed_at", "arrived_at", "distance_km"]
    assert frame(first, "trips")[drives].equals(frame(second, "trips")[drives])
    assert not frame(first, "telemetry").equals(frame(second, "telemetry"))


def test_the_price_seed_is_read_where_it_is_whole():
    config = FleetConfig(users=1, start=date(2024, 10, 14))
    given = read_prices(SEEDS_FOLDER / "raw_market__prices.csv", config)
    market = market_prices(config).merge(given[["starts_at"]])
    pd.testing.assert_frame_equal(given, market, check_dtype=False)
    assert len(given) == 24 * (7 + 28 + 2) + 1


def test_of_two_prices_of_a_time_the_later_row_counts(tmp_path):
    config = FleetConfig(users=1, days=1, start=date(2024, 10, 14))
    rows = market_prices(config).astype(str)
    rows["starts_at"] += "Z"
    later = rows.loc[[60]].assign(eur_per_mwh="-7", g_co2_per_kwh="")
    rows = pd.concat([rows, later], ignore_index=True)
    rows.to_csv(tmp_path / "prices.csv", index=False)
    given = read_prices(tmp_path / "prices.csv", config).set_index("starts_at")
    changed = given.loc[pd.Timestamp(rows.loc[60, "starts_at"][:-1])]
    assert changed["eur_per_mwh"] == -7
    assert np.isnan(changed["g_co2_per_kwh"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.drop(columns="minutes"), "has no column minutes"),
        (lambda rows: rows.assign(zone="GB"), "has no prices of zone NO3"),
        (lambda rows: rows.assign(eur_per_mwh="4 EUR"), "must be a number, not '4 EUR'"),
        (lambda rows: rows.assign(eur_per_mwh=""), "eur_per_mwh of .* must be a number"),
        (lambda rows: rows.assign(g_co2_per_kwh="inf"), "g_co2_per_kwh of .* not 'inf'"),
        (lambda rows: rows.assign(starts_at="noon"), "starts_at and minutes can't be 'noon' and"),
        (lambda rows: rows.assign(minutes="half"), "can't be .* and 'half'"),
        (lambda rows: rows.iloc[:300], "the run needs 2024-10-16T22:00Z to 2024-10-31T23:00Z"),
        (lambda rows: rows.iloc[200:], "the run needs 2024-10-16T22:00Z"),
        (lambda rows: rows.drop(index=260), "prices have a gap"),
    ],
)
def test_prices_that_cannot_be_are_refused(tmp_path, change, message):
    file = tmp_path / "prices.csv"
    rows = hourly_prices("NO3", date(2024, 10, 10), 30, SEED).astype(str)
    change(rows.assign(starts_at=rows["starts_at"] + "Z")).to_csv(file, index=False)
    result = run(*("--output", tmp_path / "run", *SMALL, "--controller", "smart", "--prices", file))
    assert result.exit_code == 1
    (line,) = result.output.splitlines()
    assert re.search(message, line)
    assert not (tmp_path / "run").exists()


def test_a_price_file_that_is_none_is_refused(tmp_path):
    file = tmp_path / "prices.parquet"
    file.write_text("no Parquet")
    result = run("--output", tmp_path / "run", *SMALL, "--prices", file)
    assert result.exit_code == 1
    assert f"{file} can't be read" in result.output


# --- manifest --------------------------------------------------------------------------------


def test_the_manifest_says_what_was_made_with_what(dispatched):
    content = manifest_of(dispatched)
    assert (content["run_id"], content["seed"]) == ("smart-drain", SEED)
    config = content["config"]
    assert config["dispatch"]["dates"] == ["2024-10-28"]
    assert [one["name"] for one in config["archetypes"]] == [one.name for one in archetypes()]
    text = json.dumps(config, sort_keys=True)
    assert content["config_sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert content["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert content["versions"]["numpy"] == np.__version__
    assert content["versions"]["duckdb"] == duckdb.__version__
    assert "ev-charging-warehouse" in content["versions"]
    assert 0 <= content["residual_kwh"] < 1e-9
    assert content["files"] == [
        {"name": f"{feed}.csv", "rows": read(dispatched, feed).shape[0]} for feed in FEED_NAMES
    ]


def test_the_hash_of_the_manifest_is_that_of_all_a_run_depends_on(tmp_path):
    own = tmp_path / "prices.csv"
    rows = hourly_prices("NO3", date(2024, 10, 10), 30, SEED)
    rows.astype({"starts_at": str}).to_csv(own, index=False)
    asked = [
        (),
        ("--seed", 43),
        ("--controller", "scheduled"),
        ("--damage",),
        ("--dispatch", "drain"),
        ("--dispatch", "drain", "--counterfactual-run-id", "uncontrolled"),
        ("--warm-up-days", 6),
        ("--prices", own),
    ]
    hashes = set()
    for number, arguments in enumerate(asked):
        folder = written(tmp_path / str(number), "--users", 5, *arguments)
        hashes.add(manifest_of(folder)["config_sha256"])
    assert len(hashes) == len(asked)


# --- whole or not at all ---------------------------------------------------------------------


def test_a_folder_that_holds_a_run_is_left_alone(tmp_path):
    folder = written(tmp_path)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for more in ((), ("--format", "parquet")):
        result = run("--output", folder, *SMALL, "--seed", 7, *more)
        assert result.exit_code == 1
        (line,) = result.output.splitlines()
        assert line == (
            f"Error: {folder} holds a run already: manifest.json; --overwrite replaces it"
        )
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_overwriting_replaces_the_whole_run_and_nothing_else(tmp_path):
    folder = written(tmp_path)
    (folder / "notes.txt").write_text("mine")
    written(folder, "--seed", 7, "--format", "parquet", "--overwrite")
    assert {path.name for path in folder.iterdir()} == {
        *(f"{feed}.parquet" for feed in FEED_NAMES),
        *(MANIFEST_FILE, "notes.txt"),
    }
    assert manifest_of(folder)["seed"] == 7


def test_a_run_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    folder = written(tmp_path)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full_disk(*_):
        raise OSError("no space left")

    monkeypatch.setattr(output, "write_feed", full_disk)
    result = run("--output", folder, *SMALL, "--seed", 7, "--overwrite")
    assert result.exit_code == 1
    assert result.output.splitlines()[-1] == f"Error: can't write into {folder}: no space left"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_run_that_is_killed_leaves_no_file_with_a_name_of_a_feed(tmp_path):
    script = Path(command.__file__)
    arguments = ("--users", 20_000, "--days", 60, "--output", tmp_path)
    process = subprocess.Popen(
        [sys.executable, script, *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 120
        while not list(tmp_path.glob(".run-*/telemetry-*.parquet")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == []
    # what it left is in nobody's way
    written(tmp_path)


def test_every_step_of_a_run_is_reported(tmp_path):
    config = FleetConfig(users=20, days=3, start=date(2024, 10, 24))
    wanted = Run(config, archetypes(), prices())
    done = []
    write_run(wanted, wanted.fleet(), tmp_path, "csv", done.append)
    assert sum(done) == steps(wanted)


# --- refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "exit_code", "named"),
    [
        (["--users", "0"], 1, "users .* not 0"),
        (["--users", "many"], 2, "'many'"),
        (["--first-user", "-1"], 1, "first_user .* not -1"),
        (["--days", "0"], 1, "days .* not 0"),
        (["--seed", "-1"], 1, "seed .* not -1"),
        (["--start", "21.10.2024"], 2, "'21.10.2024'"),
        (["--start", "1800-01-01"], 1, "start .* not 1800-01-01"),
        (["--start", "0001-01-01"], 1, "start .* not 0001-01-01"),
        (["--start", "2201-01-01"], 1, "start .* not 2201-01-01"),
        (["--mode", "real"], 2, "'real'"),
        (["--controller", "clever"], 2, "'clever'"),
        (["--step-minutes", "7"], 2, "'7'"),
        (["--zone", "XX1"], 1, "zone .* 'XX1'"),
        (["--zone", "no zone"], 1, "zone .* 'no zone'"),
        (["--time-zone", "Europe/Olso"], 1, "time_zone .* Europe/Olso"),
        (
            ["--controller", "scheduled", "--scheduled-start", "25:00"],
            1,
            "scheduled_start .* '25:00'",
        ),
        (["--scheduled-start", "01:00"], 2, "--scheduled-start needs --controller scheduled"),
        (["--dispatch-end", "19:00"], 2, "--dispatch-end needs --dispatch drain or pause"),
        (["--jitter-minutes", "-3"], 1, "jitter_minutes .* not -3"),
        (["--controller", "smart", "--jitter-minutes", "nan"], 1, "jitter_minutes .* not nan"),
        (["--cap-kw-per-car", "2"], 1, "cap_kw_per_car"),
        (["--controller", "smart", "--cap-kw-per-car", "0"], 1, "cap_kw_per_car .* not 0"),
        (["--dispatch", "boost"], 2, "'boost'"),
        (["--dispatch", "drain", "--dispatch-end", "16:00"], 1, "16:00"),
        (["--dispatch", "drain", "--dispatch-start", "5pm"], 1, "'5pm'"),
        (["--dispatch", "drain", "--dispatch-date", "2024-12-24"], 1, "2024-12-24"),
        (["--counterfactual-run-id", "plain"], 1, "counterfactual_run_id needs a dispatch"),
        (["--run-id", "a/b"], 1, "run_id .* 'a/b'"),
        (["--format", "xlsx"], 2, "'xlsx'"),
        (["--prices", "nowhere.csv"], 2, "nowhere.csv"),
        (["--archetypes", "nowhere.csv"], 2, "nowhere.csv"),
        (["--archetypes", str(SEEDS_FOLDER / "raw_market__prices.csv")], 1, "archetype"),
    ],
)
def test_a_wrong_configuration_is_refused_in_one_line_that_names_it(
    tmp_path, arguments, exit_code, named
):
    result = run("--output", tmp_path / "run", *SMALL, *arguments)
    assert result.exit_code == exit_code
    assert isinstance(result.exception, SystemExit)
    *usage, line = result.output.strip().splitlines()
    assert line.startswith("Error: ")
    assert re.search(named, line)
    assert not usage or usage[0].startswith("Usage: ")
    assert not list(tmp_path.iterdir())


def test_archetypes_whose_shares_are_wrong_are_refused(tmp_path):
    own = tmp_path / "own.csv"
    own.write_text(command.ARCHETYPES.read_text().replace(",40,", ",41,", 1))
    result = run("--output", tmp_path / "run", *SMALL, "--archetypes", own)
    assert result.exit_code == 1
    assert result.output == "Error: population_pct of all archetypes must sum to 100, not to 101\n"


def test_options_of_runs_need_an_output(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "SEEDS_FOLDER", tmp_path)
    result = run("--users", 50)
    assert result.exit_code == 2
    assert "Error: --users is for a run of its own and needs --output" in result.output
    assert not list(tmp_path.iterdir())


def test_an_output_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    result = run("--output", tmp_path / "file" / "x", *SMALL)
    assert result.exit_code == 1
    assert result.output.strip().splitlines()[-1].startswith("Error: can't write into")


def test_an_unknown_format_is_refused(tmp_path):
    wanted = Run(FleetConfig(users=1, days=1), archetypes(), prices())
    with pytest.raises(ValueError, match="format must be one of"):
        write_run(wanted, wanted.fleet(), tmp_path, "xlsx")


# --- the seeds -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def seeds():
    return seed_tables(archetypes(), SEED)


def test_without_an_output_the_command_writes_the_seeds_that_are_committed(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "SEEDS_FOLDER", tmp_path)
    result = run()
    assert result.exit_code == 0, result.output
    assert {path.name for path in tmp_path.iterdir()} == {seed_file(table) for table in FEEDS}
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        assert content == (SEEDS_FOLDER / path.name).read_bytes()
        assert not {b"\r", b'"'} & {content[place : place + 1] for place in range(len(content))}


def test_the_seeds_stay_small(seeds):
    assert sum(map(len, seeds.values())) <= 8_000
    assert sum((SEEDS_FOLDER / seed_file(table)).stat().st_size for table in FEEDS) <= 1_000_000


def test_every_line_of_the_seeds_has_the_fields_of_the_contract():
    for table in FEEDS:
        with (SEEDS_FOLDER / seed_file(table)).open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file, quoting=csv.QUOTE_NONE))
        assert lines[0] == contract(feed_name(table))
        assert {len(line) for line in lines} == {len(lines[0])}


def test_the_runs_of_the_seeds_have_the_same_drivers_of_every_archetype(seeds):
    users = seeds["users"].drop_duplicates(["run_id", "user_id"], keep="last")
    users = users[users["user_id"].str.fullmatch(r"u\d+") & ~users["run_id"].str.contains("/")]
    runs = {run_id: rows.drop(columns="run_id") for run_id, rows in users.groupby("run_id")}
    assert set(runs) == {COUNTERFACTUAL, "smart", "dispatch"}
    for rows in runs.values():
        assert len(rows) == SEED_USERS
        assert set(rows["archetype"]) == {archetype.name for archetype in archetypes()}
        assert rows.to_numpy().tolist() == runs["smart"].to_numpy().tolist()


def test_the_seeds_span_the_clock_change_and_hold_every_damage(seeds):
    first, last = date(2024, 10, 27), seed_runs(archetypes(), SEED)[0].config
    assert last.start < first < date.fromordinal(last.start.toordinal() + SEED_DAYS - 1)
    done = seeds["injected_damage"]
    assert set(KINDS) < set(done["damage_kind"])
    told = seeds["dispatches"]
    assert set(told["counterfactual_run_id"]) == {COUNTERFACTUAL}
    assert (told["event"] == "metered").sum() >= 4


def reasons(table, row):
    """Return what is wrong with a row of a seed, as a reader of the contract would find it."""
    if table == "injected_damage" and row["damage_kind"] not in KINDS:
        yield "unknown_kind"
    if "/" in row["run_id"]:
        yield "slash_in_key"
    for column, text in row.items():
        if text == "" and column not in OPTIONAL:
            yield "missing_key" if column in KEYS else "missing_value"
        elif text == "" or column in TEXTS:
            if column in KNOWN and text not in KNOWN[column]:
                yield f"unknown_{column}"
        elif column.endswith("_at") or column == "reference":
            instant = pd.to_datetime(text, errors="coerce", format="%Y-%m-%dT%H:%M:%SZ")
            if pd.isna(instant):
                yield "not_a_time"
            elif instant.year < 2000:
                yield "time_out_of_range"
        elif pd.isna(number := pd.to_numeric(text, errors="coerce")):
            yield "not_finite" if text == "NaN" else "not_a_number"
        elif column.endswith("_pct") and not 0 <= number <= 100:
            yield "out_of_range"
        elif number < 0 and (table != "dispatches"):
            yield "negative_distance" if column == "distance_km" else "negative_energy"
    for begin, end in (("starts_at", "ends_at"), ("departed_at", "arrived_at")):
        if begin in row and row[end] < row[begin] and row[begin] > "2000":
            yield "end_before_start"


KEYS = {"run_id", "user_id", "starts_at", "departed_at", "plugged_in_at", "dispatch_id"}
KEYS |= {"event", "reference"}
OPTIONAL = {"plugged_out_at", "charging_started_at", "charging_ended_at", "energy_kwh"}
OPTIONAL |= {"counterfactual_run_id"}
TEXTS = {"run_id", "user_id", "archetype", "price_zone", "time_zone", "state", "event", "mode"}
TEXTS |= {"dispatch_id", "counterfactual_run_id", "damage_kind"}
KNOWN = {
    "state": set(STATES),
    "mode": {"drain", "pause"},
    "time_zone": {"Europe/Oslo"},
    "event": {
        *("plug_in", "charge_start", "charge_stop", "plug_out"),
        *("instructed", "acknowledged", "metered"),
    },
}
ROW_KEYS = {
    "users": ["run_id", "user_id"],
    "telemetry": ["run_id", "user_id", "starts_at"],
    "plug_events": ["run_id", "user_id", "event", "occurred_at"],
    "trips": ["run_id", "user_id", "departed_at"],
    "dispatches": ["run_id", "dispatch_id", "user_id", "event"],
    "session_truth": ["run_id", "user_id", "plugged_in_at"],
    "injected_damage": ["damage_kind", "run_id", "user_id", "reference"],
}


@pytest.mark.parametrize("table", FEEDS)
def test_bad_rows_of_each_kind_are_in_the_seeds_and_no_others(seeds, table):
    rows = seeds[table]
    wrong = [[*dict.fromkeys(reasons(table, row))] for row in rows.to_dict("records")]
    found = Counter(reason for of_row in wrong for reason in of_row[:1])
    good = rows[[not of_row for of_row in wrong]]
    for _, versions in good[good.duplicated(ROW_KEYS[table], keep=False)].groupby(ROW_KEYS[table]):
        assert len(versions) == 2
        found[DUPLICATE if versions.duplicated().any() else SUPERSEDED] += 1
    if table == "telemetry":
        repeated = (seeds["injected_damage"]["damage_kind"] == "repeated_row").sum()
        assert found.pop(DUPLICATE) == repeated > 0
    assert found == Counter(bad.kind for bad in BAD_ROWS[table])
