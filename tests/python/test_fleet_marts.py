"""Half-hours, marts and functions of simulated fleets against figures by other means."""

from collections import defaultdict
from datetime import date, datetime, timedelta

import duckdb
import pytest

from fleet_figures import (
    HALF_HOUR,
    Car,
    half_hour_before,
    half_hours_of,
    percentiles,
    read_cars,
    run_windows,
)

# energy is kept to the millionth of a kWh, and an interval may be cut in two
TOLERANCE = 3e-6
# what the seeds cross
CLOCK_CHANGE = date(2024, 10, 27)
PARTS = {"all": lambda row: True, "connected": lambda row: row["is_connected"]}
NOT_TIMES = ["x", "", "2024-10-27", "24:00", "2024-13-01T00:00:00Z", "infinity", None]


@pytest.fixture(scope="module")
def cars(connection) -> dict[tuple[str, str], Car]:
    """Cars of the seeds, by run and user."""
    return read_cars(connection)


@pytest.fixture(scope="module")
def rows(cars) -> list[dict]:
    """Half-hours of all cars."""
    found = half_hours_of(cars)
    assert found
    return found


def records(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict]:
    """Rows of a query as dictionaries, decimals as numbers."""
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description]
    return [
        {
            name: float(value) if type(value).__name__ == "Decimal" else value
            for name, value in zip(names, row, strict=True)
        }
        for row in cursor.fetchall()
    ]


def close(value):
    """A number to compare with; anything else as it is."""
    return pytest.approx(value, abs=TOLERANCE) if isinstance(value, float) else value


# --- half-hours -----------------------------------------------------------------------------------


def test_half_hours_of_cars_are_those_of_their_seconds(connection, rows):
    found = {
        (row["run_id"], row["user_id"], row["half_hour_starts_at"]): row
        for row in records(connection, "from intermediate.int_simulator__car_half_hours")
    }
    assert found.keys() == {
        (row["run_id"], row["user_id"], row["half_hour_starts_at"]) for row in rows
    }
    for row in rows:
        key = (row["run_id"], row["user_id"], row["half_hour_starts_at"])
        for name in row.keys() - {"half_hour_of_day"}:
            assert found[key][name] == close(row[name]), (key, name)


def test_the_seeds_have_what_makes_half_hours_hard(cars, rows):
    stays = [stay for car in cars.values() for stay in car.stays]
    assert any(stay.skew for stay in stays)
    assert any(stay.has_unit_slip for stay in stays)
    assert any(stay.plugged_out_at is None for stay in stays)
    assert any(row["has_missing_interval"] for row in rows)
    assert any(0 < row["connected_minutes"] < 30 for row in rows)
    assert any(row["export_kwh"] for row in rows)


def test_energy_of_telemetry_and_of_its_gaps_is_in_the_half_hours_of_its_run(connection, cars):
    windows = run_windows(cars)
    energy = defaultdict(float)
    for car in cars.values():
        first, last = windows[car.run_id][0], windows[car.run_id][-1] + HALF_HOUR
        for begin, end, imported, *_ in car.intervals:
            span = (min(end, last) - max(begin, first)).total_seconds()
            energy[car.run_id] += imported * max(span, 0) / (end - begin).total_seconds()
        gaps = [car.gap_kwh(stay, first, last) for stay in car.stays]
        energy[car.run_id] += sum(gap[0] for gap in gaps if gap is not None)
    found = connection.execute(
        "select run_id, sum(import_kwh) from intermediate.int_simulator__car_half_hours group by 1"
    ).fetchall()
    assert {run: float(kwh) for run, kwh in found} == pytest.approx(dict(energy), abs=1e-3)


def test_the_day_of_the_autumn_change_has_50_half_hours_and_other_days_48(connection):
    counts = connection.execute(
        """
        select run_id, cast(half_hour_local_at as date) as day, count(distinct half_hour_starts_at)
        from intermediate.int_simulator__car_half_hours
        group by all
        order by all
        """
    ).fetchall()
    by_run = defaultdict(list)
    for run, day, half_hours in counts:
        by_run[run].append((day, half_hours))
    assert by_run
    for run, days in by_run.items():
        # the first and the last may be cut
        inner = dict(days[1:-1])
        assert inner.pop(CLOCK_CHANGE) == 50, run
        assert set(inner.values()) == {48}, run


def test_prices_of_half_hours_are_means_of_their_minutes(connection):
    prices = {
        starts_at + timedelta(minutes=minute): (price, carbon)
        for starts_at, minutes, price, carbon in connection.execute(
            "select starts_at, minutes, price_eur_per_mwh, gco2_per_kwh "
            "from staging.stg_market__prices where price_zone = 'NO3' order by starts_at"
        ).fetchall()
        for minute in range(minutes)
    }
    found = connection.execute(
        "select distinct half_hour_starts_at, price_eur_per_mwh, gco2_per_kwh "
        "from intermediate.int_simulator__car_half_hours "
        "inner join staging.stg_simulator__users using (run_id, user_id) where price_zone = 'NO3'"
    ).fetchall()
    assert found
    for begin, *values in found:
        minutes = [prices.get(begin + timedelta(minutes=m), (None, None)) for m in range(30)]
        for value, known in zip(values, zip(*minutes, strict=True), strict=True):
            expected = None if None in known else float(sum(known)) / 30
            assert (None if value is None else float(value)) == close(expected), begin
    assert any(price is not None for _, price, _ in found)


# --- marts ----------------------------------------------------------------------------------------


def grouped(rows: list[dict]) -> dict[tuple, list[dict]]:
    """Rows of cars by run, archetype, resolution and half-hour."""
    groups = defaultdict(list)
    for row in rows:
        place = (row["run_id"], row["archetype"])
        groups[*place, "half_hour_of_run", row["half_hour_starts_at"]].append(row)
        groups[*place, "half_hour_of_day", row["half_hour_of_day"]].append(row)
    return groups


def by_half_hour(connection: duckdb.DuckDBPyConnection, mart: str) -> dict[tuple, dict]:
    """Rows of a mart by run, archetype, resolution, half-hour and part of the fleet."""
    return {
        (
            row["run_id"],
            row["archetype"],
            row["resolution"],
            row["half_hour_starts_at"] or row["half_hour_of_day"] or 0,
            row["fleet_part"],
        ): row
        for row in records(connection, f"from fleet.{mart}")
    }


def expected_parts(rows: list[dict]):
    """Key, rows of the part of the fleet and half-hours of each row of a mart."""
    for key, members in grouped(rows).items():
        half_hours = len({row["half_hour_starts_at"] for row in members})
        for part, belongs in PARTS.items():
            yield (*key, part), [row for row in members if belongs(row)], half_hours


def test_soc_by_archetype_has_the_percentiles_of_its_cars(connection, rows):
    found = by_half_hour(connection, "soc_by_archetype")
    expected = list(expected_parts(rows))
    assert found.keys() == {key for key, _, _ in expected}
    for key, members, half_hours in expected:
        socs = [row["soc_pct"] for row in members if row["soc_pct"] is not None]
        row = found[key]
        assert (row["half_hours"], row["cars"]) == (half_hours, close(len(socs) / half_hours)), key
        for percent, value in zip((10, 50, 90), percentiles(socs), strict=True):
            assert row[f"soc_pct_p{percent}"] == close(value), key


def test_power_by_archetype_has_the_power_of_its_cars(connection, rows):
    found = by_half_hour(connection, "power_by_archetype")
    expected = list(expected_parts(rows))
    assert found.keys() == {key for key, _, _ in expected}
    for key, members, half_hours in expected:
        known = [row for row in members if row["import_kwh"] is not None]
        powers = {
            "import": [2 * row["import_kwh"] for row in known],
            "net": [2 * (row["import_kwh"] - row["export_kwh"]) for row in known],
        }
        row = found[key]
        assert (row["half_hours"], row["cars"]) == (half_hours, close(len(known) / half_hours)), key
        for name, values in powers.items():
            total = pytest.approx(sum(values) / half_hours, abs=len(members) * TOLERANCE)
            assert row[f"total_{name}_kw"] == total, key
            mean = sum(values) / len(values) if values else None
            assert row[f"mean_{name}_kw"] == close(mean), key
            for percent, value in zip((10, 50, 90), percentiles(values), strict=True):
                assert row[f"{name}_kw_p{percent}"] == close(value), key


def test_fleet_availability_is_what_its_cars_could_do(connection, cars, rows):
    expected = defaultdict(lambda: defaultdict(float))
    for row in rows:
        car = cars[row["run_id"], row["user_id"]]
        figures = expected[row["run_id"], row["archetype"], row["half_hour_starts_at"]]
        figures["cars"] += 1
        if not row["is_connected"]:
            continue
        figures["connected_cars"] += 1
        figures["charging_cars"] += row["is_charging"]
        soc = row["soc_pct"]
        if soc is None:
            continue
        figures["cars_at_target"] += soc >= car.target_soc_pct
        figures["import_kw"] += car.charger_kw * (soc < car.target_soc_pct)
        figures["export_kw"] += car.charger_kw * (soc > car.reserve_soc_pct)
        figures["kwh_to_target"] += max(car.target_soc_pct - soc, 0) / 100 * car.battery_kwh
        figures["kwh_to_reserve"] += max(soc - car.reserve_soc_pct, 0) / 100 * car.battery_kwh
    found = {
        (row["run_id"], row["archetype"], row["half_hour_starts_at"]): row
        for row in records(connection, "from fleet.fleet_availability")
    }
    assert found.keys() == expected.keys()
    for key, figures in expected.items():
        row = found[key]
        for name, value in figures.items():
            assert row[name] == pytest.approx(value, abs=1e-5), (key, name)
        assert row["connected_share"] == pytest.approx(row["connected_cars"] / row["cars"])


# --- functions ------------------------------------------------------------------------------------


def stays_between(cars: dict, begin: datetime, end: datetime) -> list[tuple]:
    """Rows of kpi.assets_plugged_in."""
    windows = run_windows(cars)
    found = []
    for car in cars.values():
        turn = half_hour_before(begin)
        for stay in car.stays:
            first, last = max(begin, stay.plugged_in_at), min(end, stay.ended_at)
            if first >= last:
                continue
            is_known = stay.plugged_in_at <= turn and turn in windows[car.run_id]
            soc = car.soc_at(turn) if is_known else stay.soc_start_pct
            found.append(
                (
                    car.run_id,
                    car.user_id,
                    car.archetype,
                    stay.session_id,
                    stay.plugged_in_at,
                    stay.plugged_out_at,
                    close((last - first).total_seconds() / 60),
                    close(soc),
                    (first, last) == (begin, end),
                )
            )
    return sorted(found, key=lambda row: (row[0], row[1], row[4]))


def called(connection: duckdb.DuckDBPyConnection, function: str, *values) -> list[tuple]:
    """Rows of a function, decimals as numbers."""
    marks = ", ".join("?" for _ in values)
    found = connection.execute(f"select * from kpi.{function}({marks})", values).fetchall()
    return [
        tuple(float(value) if type(value).__name__ == "Decimal" else value for value in row)
        for row in found
    ]


@pytest.fixture(scope="module")
def instants(cars) -> list[datetime]:
    """Instants on and off the half-hour, and those around plug-ins and plug-outs."""
    window = next(iter(run_windows(cars).values()))
    spread = [begin + timedelta(minutes=7 * (place % 5)) for place, begin in enumerate(window)]
    stays = [stay for car in cars.values() for stay in car.stays]
    turns = [moment for stay in stays for moment in (stay.plugged_in_at, stay.ended_at)][::41]
    just_before = [moment - timedelta(seconds=30) for moment in turns]
    return sorted(spread[::37] + turns + just_before)


@pytest.mark.parametrize("length", [timedelta(minutes=1), timedelta(hours=1), timedelta(hours=9)])
def test_assets_plugged_in_are_the_stays_that_overlap(connection, cars, instants, length):
    whole = set()
    for begin in instants:
        found = called(connection, "assets_plugged_in", begin, begin + length)
        assert found == stays_between(cars, begin, begin + length), begin
        whole |= {row[-1] for row in found}
    assert whole == {True, False}


def test_a_span_is_half_open(connection, cars):
    stay = next(s for car in cars.values() for s in car.stays if s.plugged_out_at)
    hour = timedelta(hours=1)

    def is_found(begin: datetime, end: datetime) -> bool:
        rows = called(connection, "assets_plugged_in", begin, end)
        return stay.session_id in {row[3] for row in rows}

    assert not is_found(stay.plugged_in_at - hour, stay.plugged_in_at)
    assert is_found(stay.plugged_in_at - hour, stay.plugged_in_at + timedelta(seconds=1))
    assert is_found(stay.plugged_out_at - timedelta(seconds=1), stay.plugged_out_at + hour)
    assert not is_found(stay.plugged_out_at, stay.plugged_out_at + hour)
    assert not is_found(stay.plugged_in_at, stay.plugged_in_at)


def test_assets_full_by_are_plugged_in_and_at_their_target(connection, cars, instants):
    found_any = 0
    for instant in instants:
        expected = []
        for run, user, *values, _, soc, _ in stays_between(
            cars, instant, instant + timedelta(microseconds=1)
        ):
            target = cars[run, user].target_soc_pct
            if soc is not None and soc.expected >= target:
                expected.append((run, user, *values, soc, close(target)))
        found = called(connection, "assets_full_by", instant)
        assert found == expected, instant
        found_any += len(found)
    assert found_any


def test_a_time_is_given_as_timestamp_or_as_text_with_any_offset(connection, instants):
    instant = instants[len(instants) // 2].replace(second=0)
    end = instant + timedelta(hours=1)
    expected = called(connection, "assets_plugged_in", instant, end)
    assert expected
    shifted = f"{instant + timedelta(hours=2):%Y-%m-%d %H:%M}+02:00"
    for begin in (f"{instant:%Y-%m-%dT%H:%M:%SZ}", f"{instant:%Y-%m-%d %H:%M:%S}", shifted):
        assert called(connection, "assets_plugged_in", begin, end) == expected, begin


def test_columns_of_the_functions_have_the_names_that_were_agreed(connection):
    shared = ["run_id", "user_id", "archetype", "session_id", "plugged_in_at", "plugged_out_at"]
    for call, own in {
        "assets_plugged_in('2024-10-27T00:00:00Z', '2024-10-27T01:00:00Z')": [
            "minutes_plugged_in",
            "soc_pct",
            "is_whole_window",
        ],
        "assets_full_by(\"at\" := '2024-10-27T00:00:00Z')": ["soc_pct", "target_soc_pct"],
    }.items():
        described = connection.execute(f"select * from kpi.{call}").description
        assert [column[0] for column in described] == shared + own


def test_an_instant_without_data_has_no_assets(connection):
    assert called(connection, "assets_plugged_in", "2019-01-01 00:00", "2019-01-02 00:00") == []
    assert called(connection, "assets_full_by", "2019-01-01 00:00") == []


def refusal(connection: duckdb.DuckDBPyConnection, *args) -> str:
    """The message of a call that must fail."""
    with pytest.raises(duckdb.InvalidInputException) as error:
        called(connection, *args)
    return str(error.value)


@pytest.mark.parametrize("year", [2019, 2024, 2099])
def test_a_span_that_ends_before_it_starts_is_an_error(connection, year):
    message = refusal(
        connection, "assets_plugged_in", f"{year}-10-27T01:00:00Z", f"{year}-10-27T00:59:59Z"
    )
    assert "from_at must not be after to_at" in message


@pytest.mark.parametrize("text", [*NOT_TIMES, date(2024, 10, 27)])
@pytest.mark.parametrize("other", ["1999-01-01T00:00:00Z", "2099-01-01T00:00:00Z"])
def test_what_is_no_time_is_an_error_that_names_the_argument(connection, text, other):
    assert "from_at is not a time" in refusal(connection, "assets_plugged_in", text, other)
    assert "to_at is not a time" in refusal(connection, "assets_plugged_in", other, text)
    assert "at is not a time" in refusal(connection, "assets_full_by", text)
