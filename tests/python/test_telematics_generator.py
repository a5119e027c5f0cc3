"""The telematics generator: vehicles, physics, a truth that the logs tell, damage, files."""

import csv
import re
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

import generate_telematics as command
from dbt_runner import PROJECT_ROOT
from ev_charging.bad_rows import DUPLICATE, SUPERSEDED
from ev_charging.telematics_feed import large_feed
from ev_charging.telematics_feed.delivery import Run, delivered
from ev_charging.telematics_feed.fleet import (
    CLIENT_SIZES,
    TYPE_SHARES,
    VEHICLE_TYPES,
    vehicles_of,
)
from ev_charging.telematics_feed.identifiers import (
    MOST_NUMBERS,
    VIN_CHARACTERS,
    client_ids,
    vehicle_ids,
)
from ev_charging.telematics_feed.large_feed import write_run
from ev_charging.telematics_feed.oddities import KINDS, USUAL_SHARES
from ev_charging.telematics_feed.seeds import (
    BAD_ROWS,
    SEED_DAYS,
    SEED_START,
    SEED_VEHICLES,
    seed_feeds,
    seed_file,
    seed_run,
    write_telematics_seeds,
)
from ev_charging.telematics_feed.suppliers import SUPPLIERS
from ev_charging.telematics_feed.tables import FEEDS, TRUTH, relation
from ev_charging.telematics_feed.world import TIME_ZONE

SEED = 42
SEEDS_FOLDER = command.SEEDS_FOLDER
VEHICLES, DRIVES, CHARGES, DAMAGE = FEEDS
ZONE = ZoneInfo(TIME_ZONE)
SUPPLIER = {supplier.name: supplier for supplier in SUPPLIERS}
HOUR = timedelta(hours=1)
TOLERANCE_PCT, TOLERANCE_KM, PAUSE = Decimal(1), Decimal(1), timedelta(minutes=30)
MANY = dict.fromkeys(KINDS, 0.03)
CLEAN = Run(80, date(2025, 9, 20), 40, SEED, is_damaged=False, shares=MANY)


def frames(run, numbers=None):
    """Return what is delivered of a run, and the truth, as frames by table."""
    tables = delivered(run, range(run.vehicles) if numbers is None else numbers)
    with duckdb.connect() as connection:
        sources = {table: relation(connection, table, rows) for table, rows in tables.items()}
        return {
            table: pd.DataFrame(source.fetchall(), columns=source.columns)
            for table, source in sources.items()
        }


@pytest.fixture(scope="module")
def clean():
    """An autumn with the change of clocks in it, with gaps and fragments and without damage."""
    return frames(CLEAN)


@pytest.fixture(scope="module")
def damaged():
    return frames(replace(CLEAN, is_damaged=True))


@pytest.fixture(scope="module")
def seeds():
    return seed_feeds(SEED)


def normalised(text):
    return text.strip().upper()


def known(vehicles):
    """Return the row of each vehicle by its id."""
    return {normalised(row.vehicle_id): row for row in vehicles.itertuples()}


def local_instants(wall):
    """Return the instants at which a clock shows a time: two in the hour that comes twice."""
    found = {wall.replace(tzinfo=ZONE, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(moment.replace(tzinfo=None) for moment in found)


def instants(text, supplier):
    """Return the instants that a text may stand for, earliest first; none for an empty one."""
    if not isinstance(text, str):
        return []
    if SUPPLIER[supplier].is_local:
        return local_instants(datetime.strptime(text, "%Y-%m-%d %H:%M:%S"))
    return [datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")]


def number(text, factor=1):
    return Decimal(text) * Decimal(factor) if isinstance(text, str) else None


def in_km(text, supplier):
    factor = "1.609344" if SUPPLIER[supplier].distance_unit == "mi" else "1"
    value = number(text, factor)
    return value and value.quantize(Decimal("0.000001"), ROUND_HALF_UP)


def in_pct(text, supplier):
    return number(text, 100 // SUPPLIER[supplier].soc_scale)


def in_kilo(text, supplier):
    return number(text, "1" if SUPPLIER[supplier].power_unit == "kW" else "0.001")


def logs_of(tables, table):
    """Return the rows of drives or charges in the units of the truth, in the order of delivery."""
    is_drive = table == DRIVES
    for row in tables[table].itertuples():
        name = row.supplier
        yield {
            "vehicle_id": normalised(row.vehicle_id),
            "is_drive": is_drive,
            "supplier": name,
            "started_at": instants(row.started_at, name),
            "ended_at": instants(row.ended_at, name),
            "soc_start_pct": in_pct(row.soc_start, name),
            "soc_end_pct": in_pct(row.soc_end, name),
            "odometer_start_km": in_km(row.odometer_start if is_drive else row.odometer, name),
            "odometer_end_km": in_km(row.odometer_end if is_drive else row.odometer, name),
            "energy_kwh": in_kilo(row.energy, name),
            "max_power_kw": None if is_drive else in_kilo(row.power, name),
            "place": None if is_drive or not isinstance(row.place, str) else row.place,
        }


def by_vehicle(rows):
    found = defaultdict(list)
    for row in rows:
        found[row["vehicle_id"]].append(row)
    return found


def events_of(tables):
    """Return what happened as one frame, ordered by vehicle and time."""
    parts = [
        tables["truth_drives"].assign(is_drive=True, fragments=1),
        tables["truth_sessions"].assign(is_drive=False),
    ]
    events = pd.concat(parts, ignore_index=True).sort_values(
        ["vehicle_id", "started_at"], ignore_index=True
    )
    decimals = [name for name in events if name.endswith(("_pct", "_km", "_kwh", "_kw"))]
    return events.astype(dict.fromkeys(decimals, float))


def hours(frame):
    return (frame["ended_at"] - frame["started_at"]) / HOUR


@pytest.fixture(scope="module")
def events(clean):
    return events_of(clean)


# --- vehicles --------------------------------------------------------------------------------


def test_ids_look_like_those_of_vehicles_and_are_different():
    numbers = np.arange(MOST_NUMBERS)
    assert len(np.unique(client_ids(numbers))) == MOST_NUMBERS
    some = numbers[:20_000]
    found = vehicle_ids(some, some % len(VEHICLE_TYPES), SEED)
    assert len(np.unique(found)) == len(np.unique([text[-6:] for text in found])) == len(some)
    assert {len(text) for text in found} == {17}
    assert {*"".join(found)} <= {*VIN_CHARACTERS} == {*"0123456789ABCDEFGHJKLMNPRSTUVWXYZ"}
    assert set(found) & set(vehicle_ids(some, some % len(VEHICLE_TYPES), SEED + 1)) == set()


def test_clients_own_vehicles_very_unevenly_and_types_are_not_equally_common():
    vehicles = vehicles_of(range(SEED_VEHICLES), SEED, SEED_START)
    assert np.bincount(vehicles.vehicle_type).tolist() == list(TYPE_SHARES)
    assert np.bincount(vehicles.client).tolist() == list(CLIENT_SIZES)
    many = vehicles_of(range(66_000), SEED, SEED_START)
    sizes = np.sort(np.unique(many.client, return_counts=True)[1])
    assert sizes[0] == 1 and np.median(sizes) <= 2 and sizes[-1] == 7000
    assert np.bincount(many.vehicle_type).tolist() == [1000 * share for share in TYPE_SHARES]


def test_the_suppliers_are_those_of_the_project():
    project = yaml.safe_load((PROJECT_ROOT / "dbt_project.yml").read_text())
    assert project["vars"]["telematics_timezone"] == TIME_ZONE
    assert project["vars"]["telematics_suppliers"] == {
        supplier.name: {
            "distance_unit": supplier.distance_unit,
            "power_unit": supplier.power_unit,
            "soc_scale": supplier.soc_scale,
            "time_zone": TIME_ZONE if supplier.is_local else "UTC",
        }
        for supplier in SUPPLIERS
    }


def test_batteries_fade_with_years_and_those_of_nickel_faster():
    vehicles = vehicles_of(range(6_600), SEED, SEED_START)
    day = (SEED_START - date(1970, 1, 1)).days
    health = vehicles.capacity_wh(day) / vehicles.of_type("battery_wh")
    years = (day - vehicles.registered_day) / 365.25
    assert 0 < years.min() < 0.2 and 7.8 < years.max() < 8.2
    is_nickel = vehicles.of_type("chemistry") == "NMC"
    per_year = {}
    for name, chosen in (("NMC", is_nickel), ("LFP", ~is_nickel)):
        is_usual = chosen & (np.abs(health - np.median(health)) < 0.15)
        per_year[name] = -np.polyfit(years[is_usual], health[is_usual], 1)[0]
    assert per_year["NMC"] == pytest.approx(0.020, abs=0.003)
    assert per_year["LFP"] == pytest.approx(0.012, abs=0.003)
    expected = 1 - np.where(is_nickel, 0.02, 0.012) * years
    assert 0.02 < (health < expected - 0.08).mean() < 0.04
    assert health.min() >= 0.72
    later = vehicles.capacity_wh(day + 365)
    assert (later <= vehicles.capacity_wh(day)).all()


# --- physics ---------------------------------------------------------------------------------


def test_the_truth_is_continuous_in_time_odometer_and_state_of_charge(events):
    assert len(events) > 5000
    assert (events["ended_at"] > events["started_at"]).all()
    assert events[["soc_start_pct", "soc_end_pct"]].stack().between(0, 100).all()
    before = events.groupby("vehicle_id").shift()
    follows = before["ended_at"].notna()
    assert (events["started_at"] > before["ended_at"])[follows].all()
    drives = events[events["is_drive"]]
    before = drives.groupby("vehicle_id")["odometer_end_km"].shift()
    assert (drives["odometer_start_km"] == before)[before.notna()].all()


def test_standing_takes_a_little_and_now_and_then_more_than_the_tolerance(clean, events):
    vehicles = vehicles_of(range(CLEAN.vehicles), SEED, CLEAN.first_day)
    per_h = dict(zip(vehicles.vehicle_id, vehicles.standby_per_h / 10, strict=True))
    before = events.groupby("vehicle_id").shift()
    lost = (before["soc_end_pct"] - events["soc_start_pct"])[before["ended_at"].notna()]
    standing_h = ((events["started_at"] - before["ended_at"]) / HOUR)[lost.index]
    expected = events["vehicle_id"].map(per_h)[lost.index] * standing_h
    # A charge in pieces ends later than the battery was full.
    assert (lost - expected).between(-0.1001, 0.1001 + 0.1 * 40 / 60).all()
    kinds = clean["truth_gaps"]["gap_kind"].value_counts(normalize=True)
    assert 0.03 < kinds["standby_loss"] < 0.3 < kinds["standing"]
    assert set(kinds.index) == {"standing", "standby_loss", "inferred_session", "inferred_drive"}


def capacity_kwh(events, run=CLEAN):
    """Return the usable capacity of the vehicle of each event on the local day of its begin."""
    vehicles = vehicles_of(range(run.vehicles), run.seed, run.first_day)
    place = {name: index for index, name in enumerate(vehicles.vehicle_id)}
    local = events["started_at"].dt.tz_localize("UTC").dt.tz_convert(TIME_ZONE)
    days = (local.dt.tz_localize(None).dt.normalize() - pd.Timestamp("1970-01-01")).dt.days
    by_day = {day: vehicles.capacity_wh(day) / 1000 for day in days.unique()}
    return np.array(
        [by_day[day][place[name]] for day, name in zip(days, events["vehicle_id"], strict=True)]
    )


def test_drives_take_what_leaves_the_battery(clean, events):
    drives = events[events["is_drive"]]
    fall_kwh = (drives["soc_start_pct"] - drives["soc_end_pct"]) / 100 * capacity_kwh(drives)
    # SOC has tenths of a point, energy whole Wh.
    assert ((drives["energy_kwh"] - fall_kwh).abs() <= 0.0005 * 95 + 0.001).all()
    km = drives["odometer_end_km"] - drives["odometer_start_km"]
    speed = km / hours(drives)
    assert km.min() >= 0.5 and km.max() < 250
    assert speed.max() < 125 and 20 < speed.median() < 60
    assert 0.01 < (km > 100).mean() < 0.06
    kinds = drives["vehicle_id"].map(
        {name: row.vehicle_type for name, row in known(clean[VEHICLES]).items()}
    )
    usual = km > 10
    consumption = (100 * drives["energy_kwh"] / km)[usual].groupby(kinds[usual]).median()
    assert consumption.sort_values().index.tolist() == [
        *("compact hatchback", "crossover", "estate", "delivery van", "large van"),
    ]
    assert consumption.between(14, 45).all()


def test_cold_days_and_short_trips_take_more_per_kilometre():
    medians = {}
    for season, first_day in (("summer", date(2025, 7, 1)), ("winter", date(2025, 1, 10))):
        tables = frames(Run(100, first_day, 10))
        vehicles = known(tables[VEHICLES])
        drives = events_of(tables).query("is_drive")
        is_small = np.array(
            [vehicles[name].vehicle_type == "compact hatchback" for name in drives["vehicle_id"]]
        )
        km = drives["odometer_end_km"] - drives["odometer_start_km"]
        consumption = 100 * drives["energy_kwh"] / km
        for length, chosen in (("short", km < 5), ("usual", (km > 15) & (km < 40))):
            medians[season, length] = consumption[chosen & is_small].median()
    assert medians["winter", "usual"] > 1.15 * medians["summer", "usual"]
    for season in ("summer", "winter"):
        assert medians[season, "short"] > 1.05 * medians[season, "usual"]


def test_charges_lose_a_tenth_and_their_power_falls(events):
    charges = events[~events["is_drive"]]
    rise = charges["soc_end_pct"] - charges["soc_start_pct"]
    assert rise.min() >= 2
    loss = 1 - rise / 100 * capacity_kwh(charges) / charges["energy_kwh"]
    is_exact = rise >= 20
    assert loss[is_exact].between(0.0795, 0.1205).all()
    assert loss[is_exact].mean() == pytest.approx(0.1, abs=0.003)
    mean_kw = charges["energy_kwh"] / hours(charges)
    assert (mean_kw < charges["max_power_kw"]).all()
    assert charges["max_power_kw"].between(3, 300).all()
    powers = charges.groupby("place", observed=True)["max_power_kw"]
    assert set(powers.groups) == {"home", "depot", "public"}
    assert powers.max()["home"] <= 22 and powers.max()["depot"] <= 11 < powers.min()["public"]
    taper = (mean_kw / charges["max_power_kw"]).groupby(charges["place"], observed=True).mean()
    assert taper["public"] < 0.8 < taper["home"]


def test_vehicles_drive_up_to_five_times_a_day_and_less_at_weekends(events):
    drives = events[events["is_drive"]]
    local = drives["started_at"].dt.tz_localize("UTC").dt.tz_convert(TIME_ZONE)
    assert {CLEAN.first_day + timedelta(days=day) for day in range(CLEAN.days)} == {*local.dt.date}
    daily = drives.groupby([drives["vehicle_id"], local.dt.date]).size()
    assert daily.max() == 5
    by_weekday = Counter(local.dt.day_of_week)
    assert by_weekday[5] + by_weekday[6] < 0.5 * (by_weekday[1] + by_weekday[2])
    periods = pd.cut(local.dt.hour, [0, 6, 11, 17, 24], right=False).value_counts(normalize=True)
    assert periods.min() > 0.005


@pytest.mark.parametrize("first_day", [date(2025, 10, 20), date(2025, 3, 25)])
def test_habits_are_those_of_the_clock_on_the_wall(first_day):
    drives = frames(Run(120, first_day, 12))["truth_drives"]
    local = drives["started_at"].dt.tz_localize("UTC").dt.tz_convert(TIME_ZONE)
    is_weekday = local.dt.day_of_week < 5
    hour = (local.dt.hour + local.dt.minute / 60)[is_weekday & (local.dt.hour < 12)]
    changes_on = date(2025, 10, 26) if first_day.month == 10 else date(2025, 3, 30)
    is_after = local.dt.date[hour.index] > changes_on
    assert hour[is_after].median() == pytest.approx(hour[~is_after].median(), abs=0.2)
    assert local.dt.date.min() == first_day
    assert local.dt.date.max() == first_day + timedelta(days=11)


# --- the logs tell the truth -----------------------------------------------------------------


def merged(records):
    """Return the records of a vehicle with pieces of one charge put together."""
    several = []
    for one in sorted(records, key=lambda row: (row["started_at"][0], row["is_drive"])):
        last = several[-1] if several else None
        if (
            last is not None
            and not (one["is_drive"] or last["is_drive"])
            and last["ended_at"]
            and one["started_at"][0] - last["ended_at"][0] <= PAUSE
            and None not in (one["soc_start_pct"], last["soc_end_pct"])
            and abs(one["soc_start_pct"] - last["soc_end_pct"]) <= TOLERANCE_PCT
        ):
            assert last["place"] is None or one["place"] in (None, last["place"])
            energies = (last["energy_kwh"], one["energy_kwh"])
            several[-1] = last | {
                "ended_at": one["ended_at"],
                "soc_end_pct": one["soc_end_pct"],
                "energy_kwh": None if None in energies else sum(energies),
                "max_power_kw": max(last["max_power_kw"], one["max_power_kw"]),
                "fragments": last["fragments"] + 1,
            }
        else:
            several.append(one | {"fragments": 1})
    return several


def with_odometer(records):
    """Return records in which charges have an odometer: that of the drives around them."""
    found = []
    for place, one in enumerate(records):
        if one["odometer_start_km"] is None:
            drives = [row for row in found if row["is_drive"]]
            later = next((row for row in records[place + 1 :] if row["is_drive"]), None)
            last = found[-1] if found else None
            odometer = last["odometer_end_km"] if last else None
            fell = bool(drives) and (
                last["soc_end_pct"] - one["soc_start_pct"] > TOLERANCE_PCT and last["is_drive"]
            )
            if (odometer is None or fell) and later:
                odometer = later["odometer_start_km"]
            one = one | {"odometer_start_km": odometer, "odometer_end_km": odometer}
        found.append(one)
    return found


def with_soc(records):
    """Return records in which a charge without SOC has that of its neighbours."""
    found = [dict(one) for one in records]
    for place, one in enumerate(found):
        if one["soc_start_pct"] is None:
            one["soc_start_pct"] = found[place - 1]["soc_end_pct"]
            one["soc_end_pct"] = found[place + 1]["soc_start_pct"]
    return found


def kind_of_gap(before, after):
    rise = after["soc_start_pct"] - before["soc_end_pct"]
    if rise > TOLERANCE_PCT:
        return "inferred_session"
    if after["odometer_start_km"] - before["odometer_end_km"] > TOLERANCE_KM:
        return "inferred_drive"
    return "standby_loss" if -rise > TOLERANCE_PCT else "standing"


@pytest.fixture(scope="module")
def rebuilt(clean):
    rows = [*logs_of(clean, DRIVES), *logs_of(clean, CHARGES)]
    return {
        name: with_odometer(with_soc(merged(records))) for name, records in by_vehicle(rows).items()
    }


def pieces(tables, table):
    """Return the rows of the truth by vehicle and begin."""
    return {(row["vehicle_id"], row["started_at"]): row for row in tables[table].to_dict("records")}


def differences(told, true, columns):
    """Return the columns in which something else is told than what is true, missing ones apart."""
    return [name for name in columns if told[name] is not None and told[name] != true[name]]


def test_the_clean_logs_tell_the_true_drives_and_sessions(clean, rebuilt):
    drives, sessions = pieces(clean, "truth_drives"), pieces(clean, "truth_sessions")
    measures = ("soc_start_pct", "soc_end_pct", "energy_kwh")
    told = Counter()
    for name, records in rebuilt.items():
        for one in records:
            table = drives if one["is_drive"] else sessions
            (true,) = (table[name, at] for at in one["started_at"] if (name, at) in table)
            assert true["is_logged"]
            assert not one["ended_at"] or true["ended_at"] in one["ended_at"]
            if one["is_drive"]:
                columns = (*measures, "odometer_start_km", "odometer_end_km")
            else:
                columns = (*measures, "max_power_kw", "place", "fragments")
            assert differences(one, true, columns) == []
            told[one["is_drive"]] += 1
    for table, is_drive in ((drives, True), (sessions, False)):
        assert told[is_drive] == sum(one["is_logged"] for one in table.values()) < len(table)


def test_the_clean_logs_tell_the_true_gaps(clean, rebuilt):
    true = {
        (row["vehicle_id"], row["gap_ended_at"]): row
        for row in clean["truth_gaps"].to_dict("records")
    }
    count = 0
    for name, records in rebuilt.items():
        for before, after in zip(records, records[1:], strict=False):
            (gap,) = (true[name, at] for at in after["started_at"] if (name, at) in true)
            assert not before["ended_at"] or gap["gap_started_at"] in before["ended_at"]
            assert gap["gap_kind"] == kind_of_gap(before, after)
            for column in ("soc", "odometer"):
                unit = "pct" if column == "soc" else "km"
                assert gap[f"{column}_start_{unit}"] == before[f"{column}_end_{unit}"]
                assert gap[f"{column}_end_{unit}"] == after[f"{column}_start_{unit}"]
            count += 1
    assert count == len(true)


def test_each_supplier_has_its_own_form(clean):
    forms = {
        "alpha": (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", r"\d{1,3}\.\d", r"\d+\.\d{3}"),
        "bravo": (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", r"[01]\.\d{3}", r"\d+"),
        "charlie": (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", r"\d{1,3}\.\d", r"\d+"),
    }
    for table in (DRIVES, CHARGES):
        for name, of_supplier in clean[table].groupby("supplier"):
            time, soc, energy = forms[name]
            for columns, form in (
                (("started_at", "ended_at"), time),
                (("soc_start", "soc_end"), soc),
                (("energy", "power"), energy),
                (("odometer", "odometer_start", "odometer_end"), r"\d+\.\d"),
            ):
                for column in of_supplier.columns.intersection(columns):
                    assert of_supplier[column].dropna().str.fullmatch(form).all()


def test_suppliers_leave_out_what_they_do_not_have(clean):
    missing = clean[CHARGES].isna().groupby(clean[CHARGES]["supplier"]).mean()
    assert missing.loc["charlie", ["energy", "odometer"]].tolist() == [1, 1]
    for name, column, share in (
        ("alpha", "energy", 0.04),
        ("alpha", "place", 0.1),
        ("bravo", "power", 0.03),
        ("charlie", "ended_at", 0.08),
        ("charlie", "place", 0.3),
    ):
        assert 0.3 * share < missing.loc[name, column] < 1.5 * share
    assert 0 < missing.loc["alpha", "soc_start"] == missing.loc["alpha", "soc_end"] < 0.1
    without = clean[DRIVES].isna().groupby(clean[DRIVES]["supplier"]).mean()
    assert without["energy"]["charlie"] == 1
    assert 0 < without["energy"]["alpha"] < 0.06
    rest = without.drop(columns="energy")
    assert not rest.to_numpy().any()


def test_some_ids_are_delivered_in_another_form(clean):
    vehicles = set(map(normalised, clean[VEHICLES]["vehicle_id"]))
    for table in (DRIVES, CHARGES):
        ids = clean[table]["vehicle_id"]
        assert set(ids.map(normalised)) <= vehicles
        assert 0.01 < (ids != ids.map(normalised)).mean() < 0.1
        assert (ids != ids.str.strip()).any() and (ids != ids.str.upper()).any()
    for table in (DAMAGE, *TRUTH):
        assert set(clean[table]["vehicle_id"]) <= vehicles


def test_times_without_offset_are_on_the_clock_that_is_set_back(clean):
    """Summer time ends on 26 October, when 02:00 to 03:00 comes twice."""
    true = set(
        zip(clean["truth_drives"]["vehicle_id"], clean["truth_drives"]["started_at"], strict=True)
    )
    ahead = Counter()
    for row in clean[DRIVES][clean[DRIVES]["supplier"] == "bravo"].itertuples():
        shown = datetime.strptime(row.started_at, "%Y-%m-%d %H:%M:%S")
        name = normalised(row.vehicle_id)
        hours_ahead = [hour for hour in (0, 1, 2) if (name, shown - hour * HOUR) in true]
        assert len(hours_ahead) == 1
        ahead[row.started_at >= "2025-10-26 03", *hours_ahead] += 1
    assert ahead.keys() - {(False, 1)} == {(False, 2), (True, 1)}
    assert ahead[False, 1] <= 2


# --- what is odd -----------------------------------------------------------------------------


def damage_of(tables):
    found = defaultdict(list)
    for row in tables[DAMAGE].itertuples():
        at = datetime.strptime(row.reference, "%Y-%m-%dT%H:%M:%SZ")
        found[row.damage_kind].append((row.vehicle_id, at))
    return found


def test_without_damage_only_gaps_and_fragments_are_listed(clean, damaged):
    found, more = damage_of(clean), damage_of(damaged)
    assert set(found) == set(KINDS[:3])
    assert set(more) == set(KINDS)
    assert all(found[kind] == more[kind] for kind in found)
    assert min(map(len, more.values())) >= 10


def test_what_is_not_logged_is_listed_with_the_end_of_the_record_before(clean, rebuilt, events):
    found = damage_of(clean)
    for kind, gap_kind, is_drive in (
        ("missing_charge", "inferred_session", False),
        ("missing_drive", "inferred_drive", True),
    ):
        gaps = clean["truth_gaps"][clean["truth_gaps"]["gap_kind"] == gap_kind]
        assert sorted(found[kind]) == sorted(
            zip(gaps["vehicle_id"], gaps["gap_started_at"], strict=True)
        )
        ends = {
            (name, at)
            for name, records in rebuilt.items()
            for one in records
            for at in one["ended_at"]
        }
        assert set(found[kind]) <= ends
        of_kind = events[events["is_drive"] == is_drive]
        assert len(found[kind]) == (~of_kind["is_logged"].astype(bool)).sum()


def test_fragments_are_listed_with_the_begin_of_the_first(clean):
    sessions = clean["truth_sessions"]
    several = sessions[sessions["fragments"] > 1]
    assert sorted(damage_of(clean)["fragmented_charge"]) == sorted(
        zip(several["vehicle_id"], several["started_at"], strict=True)
    )
    assert set(several["fragments"]) == {2, 3}
    assert several["is_logged"].all()


def test_the_pieces_of_a_charge_have_pauses_and_power_enough(clean):
    charges = by_vehicle(logs_of(clean, CHARGES))
    count = 0
    for name, first_at in damage_of(clean)["fragmented_charge"]:
        true = pieces(clean, "truth_sessions")[name, first_at] if count < 3 else None
        records = sorted(charges[name], key=lambda row: row["started_at"][0])
        place = next(index for index, row in enumerate(records) if first_at in row["started_at"])
        one, other = records[place : place + 2]
        if len(one["ended_at"] + other["started_at"]) == 2:
            pause = other["started_at"][0] - one["ended_at"][0]
            assert timedelta(minutes=1) <= pause <= timedelta(minutes=20)
        assert one["soc_end_pct"] == other["soc_start_pct"]
        assert true is None or true["soc_start_pct"] == one["soc_start_pct"]
        for piece in (one, other):
            assert piece["soc_end_pct"] > piece["soc_start_pct"]
            if piece["energy_kwh"] is not None and len(piece["started_at"]) == 1:
                seconds = (piece["ended_at"][0] - piece["started_at"][0]).total_seconds()
                mean_kw = float(piece["energy_kwh"]) / seconds * 3600
                assert mean_kw < float(piece["max_power_kw"])
        count += 1
    assert count > 10


def test_odd_records_keep_a_distance(damaged):
    """Between two odd events of a vehicle there are three that are not."""
    events = events_of(damaged)
    place = {}
    for row in events.itertuples():
        place[row.vehicle_id, row.started_at] = row.Index
        place[row.vehicle_id, row.ended_at] = row.Index
    found = damage_of(damaged)
    odd = defaultdict(list)
    for kind, several in found.items():
        for name, at in several:
            if kind == "overlap":
                at = max(
                    start
                    for start in events.loc[events["vehicle_id"] == name, "started_at"]
                    if start <= at
                )
                odd[name].append(place[name, at] + 1)
            else:
                odd[name].append(place[name, at] + kind.startswith("missing"))
    gaps = np.concatenate([np.diff(sorted(places)) for places in odd.values()])
    assert gaps.min() == 4


def rows_of(tables, table):
    return Counter(tables[table].fillna("").itertuples(index=False, name=None))


def test_damage_changes_only_what_is_listed(clean, damaged):
    for table in (VEHICLES, *TRUTH):
        pd.testing.assert_frame_equal(clean[table], damaged[table])
    counts = {kind: len(several) for kind, several in damage_of(damaged).items()}
    lost = {table: rows_of(clean, table) - rows_of(damaged, table) for table in (DRIVES, CHARGES)}
    new = {table: rows_of(damaged, table) - rows_of(clean, table) for table in (DRIVES, CHARGES)}
    right = rows_of(clean, DRIVES) + rows_of(clean, CHARGES)
    repeated = [row for table in new for row in new[table] if row in right]
    assert len(repeated) == counts["repeated_row"]
    assert lost[DRIVES].total() == counts["odometer_error"]
    assert lost[CHARGES].total() == sum(
        counts[kind] for kind in ("unit_slip", "soc_error", "overlap")
    )
    assert new[DRIVES].total() + new[CHARGES].total() == (
        lost[DRIVES].total() + lost[CHARGES].total() + counts["repeated_row"]
    )


@pytest.fixture(scope="module")
def logged(clean, damaged):
    """Rows by vehicle and every instant that their begin may stand for, clean and damaged."""
    found = {}
    for label, tables in (("clean", clean), ("damaged", damaged)):
        rows = defaultdict(list)
        for table in (DRIVES, CHARGES):
            for row in logs_of(tables, table):
                for at in row["started_at"]:
                    rows[row["vehicle_id"], at].append(row)
        found[label] = rows
    return found


def changed(before, after):
    return {name for name in before if before[name] != after[name]}


def test_rows_are_repeated_exactly(damaged, logged):
    for key in damage_of(damaged)["repeated_row"]:
        one, other = logged["damaged"][key]
        assert one == other == logged["clean"][key][0]


def test_units_slip_by_a_thousand(damaged, logged):
    for key in damage_of(damaged)["unit_slip"]:
        (row,), (right,) = logged["damaged"][key], logged["clean"][key]
        assert row["max_power_kw"] == 1000 * right["max_power_kw"] > 480
        if right["energy_kwh"] is not None:
            assert row["energy_kwh"] == 1000 * right["energy_kwh"]
        assert changed(right, row) <= {"max_power_kw", "energy_kwh"}


def test_wrong_states_of_charge_are_wrong_by_15_to_30_points(damaged, logged):
    errors = []
    for key in damage_of(damaged)["soc_error"]:
        (row,), (right,) = logged["damaged"][key], logged["clean"][key]
        assert changed(right, row) == {"soc_end_pct"}
        assert 0 <= row["soc_end_pct"] <= 100
        errors.append(row["soc_end_pct"] - right["soc_end_pct"])
    assert all(15 <= abs(error) <= 30 for error in errors)
    assert min(errors) < 0 < max(errors)


def test_wrong_odometers_are_wrong_at_both_ends_of_a_drive(damaged, logged):
    errors = []
    for key in damage_of(damaged)["odometer_error"]:
        (row,), (right,) = logged["damaged"][key], logged["clean"][key]
        assert row["is_drive"]
        assert changed(right, row) == {"odometer_start_km", "odometer_end_km"}
        assert row["odometer_start_km"] >= 0
        shifts = [row[name] - right[name] for name in ("odometer_start_km", "odometer_end_km")]
        assert float(shifts[0]) == pytest.approx(float(shifts[1]), abs=1e-5)
        errors.append(float(shifts[0]))
    assert all(49 < abs(error) <= 900 for error in errors)
    assert -500 <= min(errors) < 0 < max(errors)


def test_overlapping_charges_begin_in_the_drive_before_them(damaged, logged):
    drives = damaged["truth_drives"]
    for name, at in damage_of(damaged)["overlap"]:
        (row,) = logged["damaged"][name, at]
        assert not row["is_drive"]
        assert (name, at) not in logged["clean"]
        of_vehicle = drives[drives["vehicle_id"] == name]
        during = of_vehicle[(of_vehicle["started_at"] < at) & (at < of_vehicle["ended_at"])]
        assert during["is_logged"].tolist() == [True]
        assert not row["ended_at"] or row["ended_at"][-1] > during["ended_at"].iloc[0]


def test_damage_is_rare_in_a_large_run():
    tables = frames(Run(150, SEED_START, 30))
    counts = tables[DAMAGE]["damage_kind"].value_counts()
    assert set(counts.index) == set(KINDS) == set(USUAL_SHARES)
    charges, drives = len(tables["truth_sessions"]), len(tables["truth_drives"])
    for kind, among in (
        ("unit_slip", charges),
        ("soc_error", charges),
        ("odometer_error", drives),
        ("missing_charge", charges),
        ("missing_drive", drives),
    ):
        assert 0 < counts[kind] < 2 * USUAL_SHARES[kind] * among


# --- every vehicle for itself ----------------------------------------------------------------


def test_a_vehicle_does_the_same_however_many_there_are():
    few = frames(Run(9, CLEAN.first_day, 12))
    many = frames(Run(120, CLEAN.first_day, 12))
    ids = set(few["truth_drives"]["vehicle_id"]) | set(map(normalised, few[VEHICLES]["vehicle_id"]))
    assert len(ids) == 9
    for table, frame in few.items():
        same = many[table][many[table]["vehicle_id"].map(normalised).isin(ids)]
        assert Counter(map(str, frame.itertuples(index=False, name=None))) == Counter(
            map(str, same.itertuples(index=False, name=None))
        )


def test_another_seed_gives_other_vehicles():
    one, other = (frames(Run(9, SEED_START, 5, seed)) for seed in (1, 2))
    for table in (VEHICLES, DRIVES, "truth_gaps"):
        assert set(one[table]["vehicle_id"]).isdisjoint(other[table]["vehicle_id"])


@pytest.mark.parametrize(
    ("vehicles", "days"), [(1, 1), (66, 30), (4999, 30), (5000, 30), (5001, 30), (200_000, 50)]
)
def test_blocks_are_bounded_whatever_the_size(tmp_path, vehicles, days):
    blocks = large_feed._blocks(Run(vehicles, SEED_START, days), tmp_path)
    assert [number for block in blocks for number in block.vehicles] == [*range(vehicles)]
    assert max(len(block.vehicles) * days for block in blocks) <= 150_000
    assert len(blocks) <= vehicles * days / 150_000 * 1.1 + 1


# --- the seeds -------------------------------------------------------------------------------


def test_the_telematics_seeds_on_disk_are_what_the_script_writes(tmp_path):
    written = write_telematics_seeds(tmp_path, SEED)
    assert {path.name for path in written} == {seed_file(feed) for feed in FEEDS}
    for path, rows in written.items():
        content = path.read_bytes()
        assert content == (SEEDS_FOLDER / path.name).read_bytes()
        assert content.count(b"\n") == rows + 1
        assert b"\r" not in content


def test_the_telematics_seeds_stay_small(seeds):
    assert sum(map(len, seeds.values())) <= 4600
    assert sum((SEEDS_FOLDER / seed_file(feed)).stat().st_size for feed in FEEDS) <= 700_000


def test_the_columns_of_the_telematics_seeds_are_those_of_their_contracts():
    for feed in FEEDS:
        (contract,) = yaml.safe_load((SEEDS_FOLDER / f"raw_{feed}.yml").read_text())["seeds"]
        with (SEEDS_FOLDER / seed_file(feed)).open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file, strict=True))
        assert lines[0] == [column["name"] for column in contract["columns"]]
        assert {len(line) for line in lines} == {len(lines[0])}


def test_bad_rows_of_the_telematics_seeds_are_those_that_were_put_there(seeds):
    good = frames(seed_run(SEED))
    for feed, frame in seeds.items():
        rows = Counter(frame.itertuples(index=False, name=None))
        right = rows_of(good, feed)
        assert not right - rows
        bad = rows - right
        kinds = Counter(row.kind for row in BAD_ROWS[feed])
        assert bad.total() == kinds.total()
        assert sum(1 for row in bad if row in right) == kinds[DUPLICATE]
    vehicles = seeds[VEHICLES]
    clients = vehicles[vehicles["vehicle_id"] != ""].groupby("vehicle_id")["client_id"]
    assert (clients.nunique() > 1).sum() == 1
    assert clients.first()[clients.nunique() > 1].tolist() == ["KD-000000"]
    assert [row.kind for row in BAD_ROWS[VEHICLES]].count(SUPERSEDED) == 1


def test_the_telematics_seeds_have_a_month_with_everything_in_it(seeds):
    good = frames(seed_run(SEED))
    assert {len(good[VEHICLES]), *good[VEHICLES]["vehicle_id"].map(len)} >= {SEED_VEHICLES, 17}
    drives = good["truth_drives"]
    local = drives["started_at"].dt.tz_localize("UTC").dt.tz_convert(TIME_ZONE).dt.date
    assert (local.min(), local.max()) == (date(2025, 6, 1), date(2025, 6, 30))
    assert len(set(local)) == SEED_DAYS
    starts = good["truth_sessions"]["started_at"].dt.tz_localize("UTC").dt.tz_convert(TIME_ZONE)
    assert starts.dt.strftime("%Y-%m").unique().tolist() == ["2025-06"]
    counts = good[DAMAGE]["damage_kind"].value_counts()
    assert set(counts.index) == set(KINDS) and counts.min() >= 8
    assert set(good[DRIVES]["supplier"]) == set(SUPPLIER) == set(good[CHARGES]["supplier"])
    assert set(good["truth_drives"]["vehicle_id"]) == set(
        map(normalised, good[VEHICLES]["vehicle_id"])
    )


# --- files -----------------------------------------------------------------------------------


def run(*arguments):
    return CliRunner().invoke(
        command.generate_telematics_feeds, [str(argument) for argument in arguments]
    )


def test_without_an_output_the_command_writes_the_four_seeds(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "SEEDS_FOLDER", tmp_path)
    result = run()
    assert result.exit_code == 0, result.output
    assert {path.name for path in tmp_path.iterdir()} == {seed_file(feed) for feed in FEEDS}
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (SEEDS_FOLDER / path.name).read_bytes()


def test_files_are_the_same_for_any_number_of_processes(tmp_path, monkeypatch):
    monkeypatch.setattr("ev_charging.telematics_feed.large_feed._BLOCK_VEHICLE_DAYS", 40)
    size = Run(25, date(2025, 3, 27), 5)
    progress = []
    for name, processes in (("one", 1), ("two", 2)):
        monkeypatch.setattr("os.cpu_count", lambda processes=processes: processes)
        write_run(size, tmp_path / name, "parquet", progress.append)
    assert sum(progress) == 50
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "two").iterdir())
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_with_an_output_the_command_writes_logs_and_truth(tmp_path, monkeypatch, file_format):
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    monkeypatch.setattr("ev_charging.telematics_feed.large_feed._BLOCK_VEHICLE_DAYS", 100)
    folder = tmp_path / "new"
    arguments = ("--vehicles", 30, "--days", 6, "--start", "2025-10-22", "--format", file_format)
    result = run("--output", folder, *arguments)
    assert result.exit_code == 0, result.output
    assert {path.name for path in folder.iterdir()} == {
        *(f"{feed}.{file_format}" for feed in FEEDS),
        *(f"{table}.parquet" for table in TRUTH),
    }
    expected = frames(Run(30, date(2025, 10, 22), 6))
    for feed in FEEDS:
        path = str(folder / f"{feed}.{file_format}")
        if file_format == "parquet":
            source = duckdb.read_parquet(path)
        else:
            source = duckdb.read_csv(path, all_varchar=True)
        assert source.columns == list(FEEDS[feed])
        assert {str(kind) for kind in source.types} == {"VARCHAR"}
        rows = Counter(tuple(value or "" for value in row) for row in source.fetchall())
        assert rows == rows_of(expected, feed)
    for table in TRUTH:
        source = duckdb.read_parquet(str(folder / f"{table}.parquet"))
        types = dict(zip(source.columns, map(str, source.types), strict=True))
        assert types["soc_start_pct"] == "DECIMAL(9,4)"
        assert {types[name] for name in types if name.endswith("_at")} == {"TIMESTAMP"}
        assert {types[name] for name in types if name.endswith(("_km", "_kwh", "_kw"))} == {
            "DECIMAL(18,6)"
        }
        rows = expected[table].itertuples(index=False, name=None)
        assert Counter(source.fetchall()) == Counter(rows)


def test_damage_can_be_left_out(tmp_path):
    size = ("--vehicles", 40, "--days", 8, "--seed", 7)
    result = run("--output", tmp_path, *size, "--no-damage")
    assert result.exit_code == 0, result.output
    kinds = {
        line.split(",")[0] for line in (tmp_path / f"{DAMAGE}.csv").read_text().splitlines()[1:]
    }
    assert kinds <= set(KINDS[:3])
    assert run("--output", tmp_path, *size).exit_code == 0
    more = {
        line.split(",")[0] for line in (tmp_path / f"{DAMAGE}.csv").read_text().splitlines()[1:]
    }
    assert more - set(KINDS[:3])


def test_a_day_on_which_nobody_drives_is_a_header(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "ev_charging.telematics_feed.driving.drives_per_day",
        lambda seed, number, use, day: np.zeros(len(number), dtype=int),
    )
    write_run(Run(3, SEED_START, 1), tmp_path, "csv")
    assert (tmp_path / f"{VEHICLES}.csv").read_text().count("\n") == 4
    for feed in (DRIVES, CHARGES, DAMAGE):
        assert (tmp_path / f"{feed}.csv").read_text() == ",".join(FEEDS[feed]) + "\n"
    for table in TRUTH:
        assert duckdb.read_parquet(str(tmp_path / f"{table}.parquet")).shape[0] == 0


@pytest.mark.parametrize("vehicles", range(1, 5))
def test_the_smallest_runs_have_their_rows(tmp_path, vehicles):
    written = write_run(Run(vehicles, date(2025, 6, 3), 1), tmp_path, "csv")
    rows = {path.stem: count for path, count in written.items()}
    assert rows[VEHICLES] == vehicles
    assert rows[DRIVES] + rows[CHARGES] >= rows["truth_gaps"]


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (["--vehicles", "0"], 2),
        (["--vehicles", "many"], 2),
        (["--vehicles", "1000001"], 2),
        (["--days", "0"], 2),
        (["--seed", "-1"], 2),
        (["--start", "01.06.2025"], 2),
        (["--format", "xlsx"], 2),
        (["--start", "1970-01-01"], 1),
        (["--start", "9500-01-01"], 1),
    ],
)
def test_wrong_arguments_of_the_command_are_refused(tmp_path, arguments, exit_code):
    result = run("--output", tmp_path, *arguments)
    assert result.exit_code == exit_code
    assert isinstance(result.exception, SystemExit)
    assert re.match("Error: ", result.output.strip().splitlines()[-1])
    assert not list(tmp_path.iterdir())


def test_runs_that_cannot_be_are_refused(tmp_path):
    for size in (Run(0, SEED_START, 1), Run(1, SEED_START, 0), Run(10**7, SEED_START, 1)):
        with pytest.raises(ValueError, match="run"):
            write_run(size, tmp_path, "csv")
    with pytest.raises(ValueError, match="format must be one of"):
        write_run(Run(1, SEED_START, 1), tmp_path, "xlsx")


def test_options_of_large_runs_need_an_output(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "SEEDS_FOLDER", tmp_path)
    result = run("--days", 5)
    assert result.exit_code == 2
    assert "Error: --days is for a run of any size and needs --output" in result.output
    assert not list(tmp_path.iterdir())


def test_an_output_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    result = run("--output", tmp_path / "file" / "x", "--vehicles", 2, "--days", 1)
    assert result.exit_code == 1
    assert result.output.strip().splitlines()[-1].startswith("Error: can't write into")
