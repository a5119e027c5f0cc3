"""A hostile partner who has all raw feeds finds nobody in what partners receive.

Every attack is also shown a release with the sin that it is there for, made of the same feeds.
"""

import hashlib
import hmac
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from attacks import MIN_VEHICLES
from attacks import bad_releases as bad
from attacks.contributors import (
    dominated_shares,
    dominated_sums,
    exposed_extremes,
    small_cells,
)
from attacks.dictionary import FAMILIES, hashes_of_ids, parts_of_ids
from attacks.feeds import RawFeeds, read_feeds
from attacks.joining import joined_by_place, joined_periods, joined_pseudonyms
from attacks.members import quantiles_of_members, shares_of_members
from attacks.releases import (
    PSEUDONYM,
    Release,
    read_releases,
    row_sets,
    vehicle_tables,
    write_release,
)
from attacks.singling_out import (
    rare_row_sets,
    replayed_choices,
    replayed_groups,
    unique_combinations,
)
from attacks.subtraction import changed_figures, differences_of_sums, differences_of_unions
from attacks.traces import counts, phantom_rows, repeated_rows, telling_order
from dbt_runner import PROJECT_ROOT, run_dbt

ATTACKS = (
    *(parts_of_ids, hashes_of_ids),
    *(joined_pseudonyms, joined_by_place, joined_periods),
    *(unique_combinations, rare_row_sets, replayed_choices),
    *(small_cells, dominated_sums, dominated_shares, exposed_extremes),
    *(quantiles_of_members, shares_of_members),
    *(differences_of_sums, differences_of_unions, changed_figures),
    *(counts, repeated_rows, telling_order, phantom_rows),
)
JOINING = (joined_pseudonyms, joined_by_place, joined_periods, changed_figures)
KEY = "a key that only the tests of the project know"
SCRIPT = PROJECT_ROOT / "python_scripts" / "export_extracts.py"
MINE, THEIRS = bad.keyed("mine"), bad.keyed("theirs")


@pytest.fixture(scope="session")
def feeds() -> RawFeeds:
    return read_feeds(PROJECT_ROOT / "seeds" / "raw")


@pytest.fixture(scope="session")
def released(warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Release]:
    """Everything that partners receive of the default data."""
    return export(warehouse, tmp_path_factory.mktemp("releases"))


@pytest.fixture(scope="session")
def second_epoch(warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Release]:
    """The same in another epoch, with a key that the tests know."""
    root = tmp_path_factory.mktemp("second_epoch")
    copy = Path(shutil.copy(warehouse, root / "warehouse.duckdb"))
    models = ["int_extracts__pseudonyms", "extract_charging_records", "int_extracts__parameters"]
    result = run_dbt(
        ["run", "--select", *models],
        copy,
        vars={"extract_epoch": "2"},
        env={"EV_PSEUDONYM_KEY": KEY},
    )
    assert result.returncode == 0, result.stdout
    return export(copy, root / "releases")


def export(warehouse: Path, root: Path) -> list[Release]:
    command = [sys.executable, SCRIPT, "--warehouse", warehouse, "--output", root]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return read_releases(root)


def pseudonym_of(one: str, partner: str, month: str, epoch: str) -> str:
    """The pseudonym of a vehicle by its definition, under the key of the tests."""
    parts = ("partner", partner, epoch, month)
    key = hmac.digest(KEY.encode(), "\x1f".join(parts).encode(), "sha256")
    return hmac.digest(key, f"vehicle\x1f{one}".encode(), "sha256").hex()[:32]


def moved(release: Release, epoch: str, feeds: RawFeeds) -> Release:
    """A release under the key of the tests as it would be in another epoch."""
    about = release.partner, release.period
    others = {
        pseudonym_of(one, *about, release.epoch): pseudonym_of(one, *about, epoch)
        for one in feeds.sessions["vehicle_id"].unique()
    }
    tables = dict(release.tables)
    for extract, table in tables.items():
        if PSEUDONYM in table:
            table = table.assign(**{PSEUDONYM: [others[name] for name in table[PSEUDONYM]]})
            tables[extract] = table.sort_values(PSEUDONYM, kind="stable", ignore_index=True)
    return replace(release, epoch=epoch, tables=tables)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_an_attack_on_the_release_finds_nothing(attack, released, feeds):
    assert attack(released, feeds) == []


@pytest.mark.parametrize("attack", JOINING, ids=lambda attack: attack.__name__)
def test_another_epoch_tells_nothing_more(attack, second_epoch, feeds):
    third = [moved(release, "3", feeds) for release in second_epoch]
    assert attack([*second_epoch, *third], feeds) == []


def test_the_release_has_something_to_attack(released):
    assert len(released) > 1
    assert all(len(table) for release in released for table in release.tables.values())


def test_the_attacker_knows_how_sets_of_rows_were_chosen(released, feeds):
    """An attack that guesses the groups wrongly would find nothing in any release."""
    for release, _, table in vehicle_tables(released):
        sharing = Counter(row_sets(table).values())
        groups = replayed_groups(release, table, feeds)
        hits = sum(min(len(groups[rows]), size) for rows, size in sharing.items())
        assert hits >= 0.9 * sharing.total()


# --- the release with something wrong in it -------------------------------------------------------


def rare_class_in_the_open(table: pd.DataFrame, feeds: RawFeeds) -> pd.DataFrame:
    """One of the merged classes by itself; what is left of the total is the others."""
    vehicles = feeds.charged.groupby("battery_class")["vehicle_id"].nunique()
    return table.replace({"battery_class": {"other": vehicles.idxmin()}})


def rare_class_of_sums(table: pd.DataFrame, feeds: RawFeeds) -> pd.DataFrame:
    return rare_class_in_the_open(table, feeds).assign(energy_kwh="50")


def rest_in_full(table: pd.DataFrame, feeds: RawFeeds) -> pd.DataFrame:
    """What the merged types have, shown like that of the others."""
    return bad.consumption_with_rest(feeds).astype(str)


def one_too_few(table: pd.DataFrame, feeds: RawFeeds) -> pd.DataFrame:
    sets = row_sets(table)
    first = next(iter(sets.values()))
    group = [name for name, rows in sets.items() if rows == first]
    return table[~table[PSEUDONYM].isin(group[MIN_VEHICLES - 1 :])]


def upside_down(table: pd.DataFrame, feeds: RawFeeds) -> pd.DataFrame:
    return table[::-1]


def without_classes(table: pd.DataFrame, feeds: RawFeeds) -> pd.DataFrame:
    """What vehicles have is released as it is."""
    return bad.exact_records(feeds, MINE).astype(str)


def with_farthest(table: pd.DataFrame, feeds: RawFeeds) -> pd.DataFrame:
    farthest = feeds.drives.groupby(["drive_date", "day_period"])["distance_km"].max()
    cells = table.set_index(["drive_date", "day_period"]).index
    return table.assign(median_distance_km=farthest[cells].round(1).astype(str).to_numpy())


def with_drives(table: pd.DataFrame, feeds: RawFeeds) -> pd.DataFrame:
    drives = feeds.drives.groupby(["drive_date", "day_period"]).size()
    cells = table.set_index(["drive_date", "day_period"]).index
    return table.assign(long_drives_share_pct=drives[cells].astype(str).to_numpy())


PLANTED = {
    "rare_class": (small_cells, "battery_usage", rare_class_in_the_open),
    "rest_of_total": (differences_of_sums, "battery_usage", rare_class_of_sums),
    "quartiles_of_rest": (quantiles_of_members, "vehicle_type_consumption", rest_in_full),
    "shares_of_rest": (shares_of_members, "vehicle_type_consumption", rest_in_full),
    "one_too_few": (rare_row_sets, "charging_records", one_too_few),
    "upside_down": (telling_order, "charging_records", upside_down),
    "exact": (unique_combinations, "charging_records", without_classes),
    "farthest": (exposed_extremes, "drive_lengths", with_farthest),
    "drives": (counts, "drive_lengths", with_drives),
}


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_in_the_release_is_found(name, released, feeds):
    attack, extract, plant = PLANTED[name]
    planted = [
        replace(release, tables={**release.tables, extract: plant(table, feeds)})
        for release in released
        if (table := release.tables.get(extract)) is not None
    ]
    assert attack(planted, feeds)


# --- releases as they must not be -----------------------------------------------------------------


def blameless(feeds: RawFeeds) -> list[Release]:
    """Three partners who get little, all of it rightly."""
    return [
        bad.release(
            charging_records=bad.shared_records(feeds, MINE),
            drive_lengths=bad.figures_of_evenings(feeds),
        ),
        bad.release(
            "energy_aggregator",
            charging_records=bad.shared_records(feeds, THEIRS),
            battery_usage=bad.energy_of_all(feeds),
        ),
        bad.release("vehicle_manufacturer", vehicle_type_consumption=bad.consumption(feeds)),
    ]


def records_as(pseudonym: bad.Pseudonym) -> Callable[[RawFeeds], list[Release]]:
    """A release whose pseudonyms are made in a way."""
    return lambda feeds: [bad.release(charging_records=bad.shared_records(feeds, pseudonym))]


def two(one: bad.Pseudonym, other: bad.Pseudonym, **differing: str) -> Callable:
    """Two releases, by default of two partners, with pseudonyms made in two ways."""
    return lambda feeds: [
        bad.release(charging_records=bad.classed_records(feeds, one)),
        bad.release(
            **(differing or {"partner": "energy_aggregator"}),
            charging_records=bad.classed_records(feeds, other),
        ),
    ]


def hashed(family: str, before: str = "", after: str = "") -> bad.Pseudonym:
    def pseudonym(one: str) -> str:
        size = (32,) if family.startswith("shake") else ()
        return hashlib.new(family, f"{before}{one}{after}".encode()).hexdigest(*size)[:32]

    return pseudonym


def numbered(feeds: RawFeeds, prefix: str = "") -> bad.Pseudonym:
    """Pseudonyms that count vehicles in the order of their feed."""
    places = {one: place for place, one in enumerate(feeds.vehicles["vehicle_id"])}
    return lambda one: f"{prefix}{places.get(one, len(places)):06d}"


def same_order(feeds: RawFeeds) -> list[Release]:
    return two(numbered(feeds, "a"), numbered(feeds, "b"))(feeds)


def in_order_of_the_feed(feeds: RawFeeds) -> list[Release]:
    return [bad.release(charging_records=bad.exact_records(feeds, numbered(feeds)))]


def as_they_arrived(feeds: RawFeeds) -> list[Release]:
    table = bad.shared_records(feeds, MINE)
    first = feeds.charges["vehicle_id"].drop_duplicates().map(MINE).tolist()
    table = table.sort_values(PSEUDONYM, key=lambda names: names.map(first.index))
    return [bad.release(charging_records=table)]


def exact_charges(feeds: RawFeeds) -> list[Release]:
    return [bad.release(charging_records=bad.exact_records(feeds, MINE))]


def whole_sets(feeds: RawFeeds) -> list[Release]:
    return [bad.release(charging_records=bad.classed_records(feeds, MINE))]


def one_pseudonym_for_two_months(feeds: RawFeeds) -> list[Release]:
    halves = [
        replace(feeds, sessions=some)
        for _, some in feeds.sessions.groupby(feeds.sessions["started_at"].dt.day > 15)
    ]
    return [
        bad.release(period=period, charging_records=bad.classed_records(half, MINE))
        for period, half in zip(("2025-05", "2025-06"), halves, strict=True)
    ]


def rare_type(feeds: RawFeeds) -> list[Release]:
    return [bad.release(session_indicators=bad.energy_by("vehicle_type", feeds))]


def total_beside_types(feeds: RawFeeds) -> list[Release]:
    common = bad.all_but_rarest("vehicle_type", feeds)
    table = pd.concat(
        [bad.energy_of_all(feeds, "vehicle_type"), bad.energy_by("vehicle_type", feeds, common)]
    )
    return [bad.release(session_indicators=table)]


def total_at_another_partner(feeds: RawFeeds) -> list[Release]:
    common = bad.all_but_rarest("vehicle_type", feeds)
    return [
        bad.release(session_indicators=bad.energy_by("vehicle_type", feeds, common)),
        bad.release("energy_aggregator", battery_usage=bad.energy_of_all(feeds)),
    ]


def total_of_places_beside_types(feeds: RawFeeds) -> list[Release]:
    """No total anywhere: the places together are one."""
    types = bad.all_but_rarest("vehicle_type", feeds)
    return [
        bad.release(session_indicators=bad.energy_by("place", feeds)),
        bad.release("energy_aggregator", battery_usage=bad.energy_by("vehicle_type", feeds, types)),
    ]


def places_beside_classes(classes: int, strays: int = 0) -> tuple[Callable, Callable]:
    """A release by place and one by class, and the feeds that they are of."""

    def alter(feeds: RawFeeds) -> RawFeeds:
        return bad.with_places_of_classes(feeds, classes, strays)

    def build(feeds: RawFeeds) -> list[Release]:
        some = bad.commonest_batteries(feeds, classes)
        by_class = bad.energy_by("battery_class", alter(feeds), some)
        return [
            bad.release(session_indicators=bad.energy_by("place", alter(feeds))),
            bad.release("energy_aggregator", battery_usage=by_class),
        ]

    return build, alter


def merged_types(feeds: RawFeeds) -> list[Release]:
    return [
        bad.release(
            "vehicle_manufacturer", vehicle_type_consumption=bad.consumption_with_rest(feeds)
        )
    ]


def released_again(feeds: RawFeeds) -> list[Release]:
    is_one = feeds.charged["vehicle_id"] == feeds.charged["vehicle_id"].min()
    fewer = replace(feeds, charged=feeds.charged[~is_one])
    return [
        bad.release(epoch=epoch, battery_usage=bad.energy_of_all(some))
        for epoch, some in (("1", feeds), ("2", fewer))
    ]


def rounded_twice(feeds: RawFeeds) -> list[Release]:
    finer = bad.energy_of_all(feeds).assign(energy_kwh=int(feeds.charged["energy_kwh"].sum()))
    return [
        bad.release(battery_usage=bad.energy_of_all(feeds)),
        bad.release("energy_aggregator", battery_usage=finer),
    ]


def extremes(feeds: RawFeeds) -> list[Release]:
    sessions = feeds.sessions.groupby(["month", "place"])
    return [bad.release(session_indicators=sessions[["max_power_kw"]].max().reset_index())]


def by_evening(feeds: RawFeeds, **columns: str | tuple) -> pd.DataFrame:
    """The blameless evenings with further columns, each an aggregate of its drives."""
    keys = ["month", "drive_date", "weekday", "day_period"]
    further = feeds.drives.groupby(keys).agg(**columns).reset_index()
    return bad.figures_of_evenings(feeds).merge(further, on=keys)


def counted_vehicles(feeds: RawFeeds) -> list[Release]:
    table = by_evening(feeds, cars=("vehicle_id", "nunique"))
    return [bad.release(drive_lengths=table)]


def sum_and_mean(feeds: RawFeeds) -> list[Release]:
    table = by_evening(
        feeds, distance_km=("distance_km", "sum"), mean_distance_km=("distance_km", "mean")
    )
    return [bad.release(drive_lengths=table.round(3))]


def exact_share(feeds: RawFeeds) -> list[Release]:
    table = by_evening(
        feeds, far_share_pct=("distance_km", lambda km: round(100 * (km > 10).mean(), 3))
    )
    return [bad.release(drive_lengths=table)]


def exact_share_of_long_drives(feeds: RawFeeds) -> list[Release]:
    table = by_evening(feeds, long_drives_share_pct=("is_long", lambda far: 100 * far.mean()))
    return [bad.release(drive_lengths=table.round(1))]


def repeated(feeds: RawFeeds) -> list[Release]:
    table = bad.shared_records(feeds, MINE)
    return [bad.release(charging_records=table.loc[table.index.repeat(2)])]


def with_row(extract: str, **values: str) -> Callable[[RawFeeds], list[Release]]:
    """The blameless release with one more row, empty but for some values."""

    def build(feeds: RawFeeds) -> list[Release]:
        tables = blameless(feeds)[1].tables
        row = pd.DataFrame([{name: values.get(name, "") for name in tables[extract]}])
        return [bad.release(**tables | {extract: pd.concat([tables[extract], row])})]

    return build


def ghosts(feeds: RawFeeds) -> list[Release]:
    table = bad.shared_records(feeds, MINE)
    copies = [table.assign(**{PSEUDONYM: table[PSEUDONYM] + letter}) for letter in "abcd"]
    return [bad.release(charging_records=pd.concat(copies))]


def giant(unit: str) -> tuple[Callable, Callable]:
    """A release whose total is that of one vehicle or client, and the feeds that it is of."""
    return (
        lambda feeds: [bad.release(battery_usage=bad.energy_of_all(bad.with_giant(feeds, unit)))],
        lambda feeds: bad.with_giant(feeds, unit),
    )


SINS = {
    **{f"a plain {family}": (hashes_of_ids, records_as(hashed(family))) for family in FAMILIES},
    "a short salt before": (hashes_of_ids, records_as(hashed("sha256", before="q7x"))),
    "a short salt behind": (hashes_of_ids, records_as(hashed("md5", after="4711"))),
    "the partner as salt": (hashes_of_ids, records_as(hashed("sha1", "grid_operator:"))),
    "the epoch behind": (hashes_of_ids, records_as(hashed("sha512", after="-1"))),
    "a hash of the lower case": (hashes_of_ids, records_as(lambda i: hashed("md5")(i.lower()))),
    "a hash of the padded id": (hashes_of_ids, records_as(lambda i: hashed("sha1")(f" {i}"))),
    "a hash of a part": (hashes_of_ids, records_as(lambda i: hashed("sha256")(i[-6:]))),
    "a hash of a hash": (
        hashes_of_ids,
        records_as(lambda i: hashed("md5")(hashlib.md5(i.encode()).hexdigest())),
    ),
    "a few digits of a hash": (hashes_of_ids, records_as(lambda i: hashed("md5")(i)[:12])),
    "the id": (parts_of_ids, records_as(str)),
    "the id in lower case, padded": (parts_of_ids, records_as(lambda i: f" {i.lower()} ")),
    "the end of the id": (parts_of_ids, records_as(lambda i: i[-6:])),
    "the id masked": (parts_of_ids, records_as(lambda i: f"***{i[3:9]}***")),
    "one key for two partners": (joined_pseudonyms, two(MINE, MINE)),
    "one key for two epochs": (joined_pseudonyms, two(MINE, MINE, epoch="2")),
    "one key, other ends": (joined_pseudonyms, two(MINE, lambda i: MINE(i)[:24] + "00000000")),
    "a chain of hashes": (joined_pseudonyms, two(MINE, lambda i: hashed("sha256")(MINE(i)))),
    "two partners in one order": (joined_by_place, same_order),
    "one pseudonym for two months": (joined_periods, one_pseudonym_for_two_months),
    "exact charges": (unique_combinations, exact_charges),
    "the whole set of classes": (rare_row_sets, whole_sets),
    "the whole set, replayed": (replayed_choices, whole_sets),
    "a rare type": (small_cells, rare_type),
    "a total beside common types": (differences_of_sums, total_beside_types),
    "a total at another partner": (differences_of_sums, total_at_another_partner),
    "a total of places": (differences_of_sums, total_of_places_beside_types),
    "places of some classes": (differences_of_unions, *places_beside_classes(3)),
    "a place of nearly one class": (differences_of_unions, *places_beside_classes(1, strays=2)),
    "quartiles of merged types": (quantiles_of_members, merged_types),
    "a share of merged types": (shares_of_members, merged_types),
    "a changed release": (changed_figures, released_again),
    "two roundings": (changed_figures, rounded_twice),
    "a dominating vehicle": (dominated_sums, *giant("vehicle_id")),
    "a dominating client": (dominated_sums, *giant("client_id")),
    "an exact share of long drives": (dominated_shares, exact_share_of_long_drives),
    "a maximum": (exposed_extremes, extremes),
    "the order of arrival": (telling_order, as_they_arrived),
    "pseudonyms in the order of the feed": (telling_order, in_order_of_the_feed),
    "a count": (counts, counted_vehicles),
    "a sum with a mean": (counts, sum_and_mean),
    "an exact share": (counts, exact_share),
    "rows as often as charges": (repeated_rows, repeated),
    "an empty row": (phantom_rows, with_row("battery_usage")),
    "a cell for nobody": (
        phantom_rows,
        with_row("battery_usage", month="2025-07", battery_class="all", energy_kwh="50"),
    ),
    "a vehicle that isn't": (
        phantom_rows,
        with_row(
            "charging_records",
            **{PSEUDONYM: MINE("nobody"), "soc_start_pct": "100", "soc_end_pct": "0"},
            power_class="above 50",
        ),
    ),
    "more vehicles than there are": (phantom_rows, ghosts),
}


@pytest.mark.parametrize("sin", SINS)
def test_a_sin_is_found_by_its_attack(sin, feeds, tmp_path):
    attack, build, *alter = SINS[sin]
    for release in build(feeds):
        write_release(tmp_path, release)
    known = alter[0](feeds) if alter else feeds
    assert attack(read_releases(tmp_path), known)


def test_every_attack_is_shown_a_sin():
    assert {attack for attack, *_ in SINS.values()} == set(ATTACKS)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_a_blameless_release_is_left_alone(attack, feeds, tmp_path):
    for release in blameless(feeds):
        write_release(tmp_path, release)
    assert attack(read_releases(tmp_path), feeds) == []
