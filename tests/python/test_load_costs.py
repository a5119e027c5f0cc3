"""What charging costs and what shifting saves, against a calculation minute by minute."""

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from math import fsum
from pathlib import Path
from random import Random

import duckdb
import pytest

from dbt_runner import PROJECT_ROOT, run_dbt
from feed_figures import MWH_PER_KWH, ZONE, read_loads, read_reports
from price_figures import (
    EPOCH,
    MINUTE,
    POWERS_KW,
    by_hour,
    by_minute,
    connections,
    fill,
    minute,
    on_clock,
    read_intervals,
    session_costs,
)

pytestmark = pytest.mark.builds

LOADS, PRICES, REPORTS = (
    "residential__hourly_loads",
    "market__prices",
    "residential__charging_reports",
)
LOADS_HEADER = (
    "date_from;date_to;User_ID;session_ID;Synthetic_3_6kW;Synthetic_7_2kW;Flex_3_6kW;Flex_7_2kW"
)
REPORTS_HEADER = (
    "session_ID;Garage_ID;User_ID;User_type;Shared_ID;Start_plugin;Start_plugin_hour;End_plugout;"
    "End_plugout_hour;El_kWh;Duration_hours;month_plugin;weekdays_plugin;Plugin_category;"
    "Duration_category"
)
LOAD_SIDE = (
    "energy_kwh, priced_energy_kwh, unpriced_energy_kwh, carbon_energy_kwh, loads, unpriced_loads, "
    "cost_eur, co2_kg"
)
SESSION_SIDE = (
    "charging_sessions, shiftable_sessions, session_energy_kwh, shiftable_energy_kwh, "
    "unfitting_energy_kwh, open_energy_kwh, unpriced_session_energy_kwh, "
    "shiftable_carbon_energy_kwh, immediate_cost_eur, cheapest_cost_eur, immediate_co2_kg, "
    "lowest_co2_kg"
)


def add(total: float | None, value: float | None) -> float | None:
    """A sum that is None only where nothing is known."""
    return total if value is None else (total or 0) + value


def local_month(number: int) -> datetime:
    """First day of the month in which a minute lies on the clock of the sites."""
    local = on_clock(number, ZONE)
    return datetime(local.year, local.month, 1)


def load_side(loads: list[tuple[str, int, float]], prices: dict, carbon: dict) -> dict:
    """Figures of loads (profile, minute of the hour, kWh) per profile and month."""
    figures = defaultdict(lambda: [0, 0, 0, 0, 0, 0, None, None])
    for profile, hour, kwh in loads:
        row = figures[profile, local_month(hour)]
        price, intensity = prices.get(hour), carbon.get(hour)
        row[0] += kwh
        row[1 if price is not None else 2] += kwh
        row[3] += kwh if intensity is not None else 0
        row[4] += kwh > 0
        row[5] += kwh > 0 and price is None
        row[6] = add(row[6], None if price is None else kwh * price / 1000)
        row[7] = add(row[7], None if intensity is None else kwh * intensity / 1000)
    return dict(figures)


def session_side(sessions: list[tuple[int, int | None, float]], prices: dict, carbon: dict) -> dict:
    """Figures of sessions (minutes of plug-in and plug-out, kWh) per profile and month."""
    figures = defaultdict(lambda: [0] * 8 + [None] * 4)
    for (profile, power), (plugged_in, plugged_out, kwh) in product(POWERS_KW.items(), sessions):
        row = figures[profile, local_month(plugged_in)]
        row[0] += 1
        row[2] += kwh
        if plugged_out is None:
            row[5] += kwh
            continue
        if kwh == 0:
            continue
        fits = kwh <= power / 60 * (plugged_out - plugged_in) + 1e-9
        cost = session_costs(plugged_in, plugged_out, kwh, power, prices)
        emitted = session_costs(plugged_in, plugged_out, kwh, power, carbon)
        row[1] += cost is not None
        row[3 if cost else 6 if fits else 4] += kwh
        row[7] += kwh if emitted else 0
        for place, value in enumerate([*(cost or [None] * 2), *(emitted or [None] * 2)], start=8):
            row[place] = add(row[place], None if value is None else value / 1000)
    return dict(figures)


def found(connection: duckdb.DuckDBPyConnection, columns: str) -> dict:
    """Columns of load.load_costs per profile and month; months without any are left out."""
    rows = connection.execute(
        f"select load_profile, month_start_date::timestamp, {columns} from load.load_costs"
    ).fetchall()
    return {
        tuple(keys): [None if value is None else float(value) for value in values]
        for *keys, values in ((*row[:2], row[2:]) for row in rows)
        if any(values)
    }


def agree(actual: dict, expected: dict) -> None:
    assert actual.keys() == expected.keys()
    for key, values in expected.items():
        for value, other in zip(values, actual[key], strict=True):
            assert other == (None if value is None else pytest.approx(value, abs=1e-6)), key


# --- own files with everything that can happen to a session ---------------------------------------


def at(text: str) -> int:
    """Minute of a UTC text."""
    return minute(datetime.fromisoformat(text))


WEEKS = [("2024-03-29T00:00", 4 * 24), ("2024-10-25T00:00", 7 * 24)]
# UTC; the clock of Oslo is set forward on 31 March and back on 27 October, both at 01:00 UTC
SESSIONS = [
    (at("2024-03-30T10:10"), at("2024-03-30T10:40"), 1.5),  # within an hour
    (at("2024-03-30T10:59"), at("2024-03-30T11:01"), 0.1),  # two minutes of two hours
    (at("2024-03-30T23:17"), at("2024-03-31T03:03"), 9.0),  # across the hour that never was
    (at("2024-10-26T22:41"), at("2024-10-27T03:13"), 14.0),  # across both hours of that name
    (at("2024-10-27T00:20"), at("2024-10-27T00:55"), 2.0),  # within the first of them
    (at("2024-10-27T01:20"), at("2024-10-27T01:55"), 2.0),  # within the second
    (at("2024-10-31T21:30"), at("2024-10-31T23:30"), 6.0),  # across the end of a month
    (at("2024-03-31T21:00"), at("2024-03-31T22:30"), 5.4),  # exactly what fits at 3.6 kW
    (at("2024-03-31T12:00"), at("2024-03-31T12:30"), 7.0),  # fits at no power
    (at("2024-03-31T14:00"), at("2024-03-31T14:00"), 0.0),  # connected for no time
    (at("2024-10-28T14:00"), None, 3.0),  # open
    (at("2024-10-28T15:30"), at("2024-10-28T19:00"), 5.0),  # across an hour without a price
    (at("2024-10-29T15:30"), at("2024-10-29T19:00"), 5.0),  # and one with half a price
    (at("2024-10-30T15:30"), at("2024-10-30T19:00"), 5.0),  # and one without carbon
]
WITHOUT = {
    at("2024-10-28T17:00"): "row",
    at("2024-10-29T17:30"): "row",
    at("2024-10-30T17:00"): "carbon",
}


def price_rows(random: Random) -> list[str]:
    """Hours in March and quarter-hours in October, a third of them negative."""
    rows = ["zone,starts_at,minutes,eur_per_mwh,g_co2_per_kwh"]
    for (start, hours), length in zip(WEEKS, (60, 15), strict=True):
        for number in range(at(start), at(start) + hours * 60, length):
            hour = number - number % 30 if number % 60 >= 30 else number - number % 60
            missing = WITHOUT.get(hour) or WITHOUT.get(number - number % 60)
            if missing == "row":
                continue
            carbon = "" if missing == "carbon" else f"{random.uniform(5, 90):.2f}"
            stamp = f"{EPOCH + number * MINUTE:%Y-%m-%dT%H:%MZ}"
            rows.append(f"NO3,{stamp},{length},{random.uniform(-40, 80):.2f},{carbon}")
            # another zone is not looked at
            rows.append(f"SE3,{stamp},{length},-1000,0")
    return rows


def offset_text(number: int | None) -> str:
    """A minute on the clock of the sites, with its offset."""
    if number is None:
        return "NA"
    local = (EPOCH + number * MINUTE).replace(tzinfo=UTC).astimezone(ZONE)
    return f"{local:%d.%m.%Y %H:%M}{local:%z}"[:-2] + ":00"


def comma(number: float | None) -> str:
    return "NA" if number is None else f"{number:.6f}".replace(".", ",")


def hourly(session: tuple[int, int | None, float]) -> dict[int, dict[str, float]]:
    """Energy per hour and profile of charging from the plug-in on, whenever it is unplugged."""
    plugged_in, _, kwh = session
    hours = defaultdict(lambda: defaultdict(float))
    for profile, power in POWERS_KW.items():
        for number, taken in fill(range(plugged_in, plugged_in + 10**5), kwh, power).items():
            hours[number - number % 60][profile] += taken
    return hours


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> tuple[duckdb.DuckDBPyConnection, list, Path]:
    """A warehouse from own files, its sessions, and the file of prices."""
    random = Random(20241027)
    sessions = list(SESSIONS)
    for start, hours in WEEKS:
        for _ in range(40):
            plugged_in = at(start) + random.randrange((hours - 14) * 60)
            connected = random.randrange(2, 13 * 60)
            kwh = round(random.uniform(0.01, 9 * connected / 60), 2)
            sessions.append((plugged_in, plugged_in + connected, kwh))
    folder = tmp_path_factory.mktemp("costs")
    reports, loads = [REPORTS_HEADER], [LOADS_HEADER]
    for session_id, session in enumerate(sessions, start=1):
        plugged_in, plugged_out, kwh = session
        user = f"A;U-{session_id};Private;NA"
        stamps = f"{offset_text(plugged_in)};0;{offset_text(plugged_out)};0"
        reports.append(f"{session_id};{user};{stamps};{comma(kwh)};NA;Jan;Monday;x;y")
        for hour, energies in hourly(session).items():
            texts = ";".join(comma(energies.get(profile)) for profile in POWERS_KW)
            span = f"{offset_text(hour)};{offset_text(hour + 60)}"
            loads.append(f"{span};U-{session_id};{session_id};{texts};NA;NA")
    files = {REPORTS: reports, LOADS: loads, PRICES: price_rows(random)}
    for feed, lines in files.items():
        (folder / f"{feed}.csv").write_text("\n".join(lines) + "\n")
    feeds = {feed: str(folder / f"{feed}.csv") for feed in files}
    warehouse = folder / "warehouse.duckdb"
    arguments = ["build", "--exclude-resource-type", "unit_test", "--indirect-selection=cautious"]
    arguments += ["--select", "+load_costs", "+fct_charging_sessions", "+rejected_rows"]
    result = run_dbt(arguments, warehouse, vars={"feeds": feeds})
    assert result.returncode == 0, result.stdout
    assert "WARN=0" in result.stdout
    return duckdb.connect(str(warehouse), read_only=True), sessions, folder / f"{PRICES}.csv"


@pytest.fixture(scope="module")
def own_hours(own) -> tuple[dict, dict]:
    """Price and carbon of each hour of the own prices."""
    intervals = read_intervals(own[2], "NO3")
    return tuple(by_hour(by_minute(intervals, value)) for value in ("price", "carbon"))


def test_every_own_row_is_accepted(own):
    assert own[0].execute("select * from quality.rejected_rows").fetchall() == []


def test_the_cost_of_own_loads_is_that_of_their_hours(own, own_hours):
    connection, sessions, _ = own
    loads = [
        (profile, hour, round(kwh, 6))
        for session in sessions
        for hour, energies in hourly(session).items()
        for profile, kwh in energies.items()
    ]
    agree(found(connection, LOAD_SIDE), load_side(loads, *own_hours))


def test_shifting_own_sessions_saves_what_their_minutes_allow(own, own_hours):
    connection, sessions, _ = own
    expected = session_side(sessions, *own_hours)
    agree(found(connection, SESSION_SIDE), expected)
    # negative costs, left-out energy of each kind and several months are really there
    totals = [fsum(row[place] for row in expected.values()) for place in range(8)]
    assert all(totals)
    assert any(row[9] < 0 for row in expected.values())
    assert len(expected) == 2 * len({month for _, month in expected}) == 6


def test_own_savings_are_the_differences(own):
    connection = own[0]
    for high, low, saving, share in (
        ("immediate_cost_eur", "cheapest_cost_eur", "saving_eur", "saving_pct"),
        ("immediate_co2_kg", "lowest_co2_kg", "saving_co2_kg", "saving_co2_pct"),
    ):
        rows = connection.execute(
            f"select {high}, {low}, {saving}, {share} from load.load_costs where {high} is not null"
        ).fetchall()
        assert rows
        for immediate, lowest, saved, percent in rows:
            assert saved == immediate - lowest
            assert percent == (
                pytest.approx(float(100 * saved / immediate)) if immediate > 0 else None
            )


def test_own_means_are_the_costs_over_their_own_energy(own):
    rows = (
        own[0]
        .execute(
            "select cost_eur, priced_energy_kwh, mean_price_eur_per_kwh, co2_kg, "
            "carbon_energy_kwh, mean_gco2_per_kwh / 1000 from load.load_costs "
            "where cost_eur is not null"
        )
        .fetchall()
    )
    # price and carbon are known of different loads
    assert any(priced != known for _, priced, _, _, known, _ in rows)
    for cost, priced, price, carbon, known, intensity in rows:
        assert price * float(priced) == pytest.approx(float(cost), abs=1e-6)
        assert intensity * float(known) == pytest.approx(float(carbon), abs=1e-6)


# --- the seeds ------------------------------------------------------------------------------------


def seed(feed: str) -> Path:
    """The committed file of a feed."""
    return PROJECT_ROOT / "seeds" / "raw" / f"raw_{feed}.csv"


@pytest.fixture(scope="module")
def rejected(connection: duckdb.DuckDBPyConnection) -> dict[str, set[int]]:
    """Numbers of the rejected rows of each feed."""
    numbers = defaultdict(set)
    for feed, number in connection.execute(
        "select feed, row_number from quality.rejected_rows"
    ).fetchall():
        numbers[feed].add(number)
    return numbers


@pytest.fixture(scope="module")
def hours(rejected: dict[str, set[int]]) -> tuple[dict, dict]:
    """Price and carbon of each hour of the seed."""
    intervals = read_intervals(seed(PRICES), "NO3", rejected[PRICES])
    return tuple(by_hour(by_minute(intervals, value)) for value in ("price", "carbon"))


def test_the_cost_of_the_loads_of_the_seeds_is_that_of_their_hours(connection, rejected, hours):
    frame = read_loads(seed(LOADS), rejected[LOADS])
    loads = [
        (profile, minute(starts_at.to_pydatetime()), int(mwh) / MWH_PER_KWH)
        for profile in POWERS_KW
        for starts_at, mwh in frame[["starts_at", profile]].dropna().itertuples(index=False)
    ]
    agree(found(connection, LOAD_SIDE), load_side(loads, *hours))


def test_shifting_the_sessions_of_the_seeds_saves_what_their_minutes_allow(
    connection, rejected, hours
):
    sessions = connections(read_reports(seed(REPORTS), rejected[REPORTS]))
    agree(found(connection, SESSION_SIDE), session_side(sessions, *hours))


def test_charging_at_once_costs_what_the_loads_of_the_seeds_cost(connection):
    # Loads and reports of the seeds are one story: where the energy agrees, so does every cent.
    differences = connection.execute(
        """
        with loads as (
            select
                load_profile,
                sessions.session_key,
                sum(kwh) as energy_kwh,
                sum(kwh * hours.price_eur_per_mwh) * 0.001 as cost_eur
            from (
                unpivot (
                    select session_id, load_started_at, synthetic_3_6_kwh as synthetic_3_6,
                        synthetic_7_2_kwh as synthetic_7_2
                    from intermediate.int_hourly_loads__residential
                ) on synthetic_3_6, synthetic_7_2 into name load_profile value kwh
            ) as loads
            inner join core.fct_charging_sessions as sessions
                on loads.session_id = sessions.session_id
                and sessions.source_system = 'residential'
                and not has_duration_conflict
            inner join intermediate.int_price_hours as hours
                on price_zone = 'NO3' and load_started_at = hour_started_at
            group by all
        )
        select immediate_cost_eur - cost_eur
        from intermediate.int_charging_costs__residential as costs
        inner join loads using (session_key, load_profile)
        where loads.energy_kwh = costs.energy_kwh and immediate_cost_eur is not null
        """
    ).fetchall()
    assert len(differences) > 2000
    assert {difference for (difference,) in differences} == {Decimal(0)}
