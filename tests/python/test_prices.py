"""Prices as a feed: what is read and set aside, and means over spans of time minute by minute."""

from datetime import datetime, timedelta
from math import fsum
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd
import pytest

from dbt_runner import run_dbt
from price_figures import (
    EPOCH,
    MINUTE,
    by_hour,
    by_minute,
    low_price_hours,
    minute,
    read_intervals,
)

pytestmark = pytest.mark.builds

PRICES = "market__prices"
HEADER = "zone,starts_at,minutes,eur_per_mwh,g_co2_per_kwh"
LOW_PRICE_HOURS = 6


def price_row(hour: int, price: str = "50", carbon: str = "30", zone: str = "NO3") -> str:
    """An hour of 2 January 2024."""
    return f"{zone},2024-01-02T{hour:02}:00Z,60,{price},{carbon}"


def build(folder: Path, prices: str) -> Path:
    """Build the prices from a file or glob, tests included; the path of the warehouse."""
    warehouse = folder / "warehouse.duckdb"
    arguments = ["build", "--exclude-resource-type", "unit_test", "--indirect-selection=cautious"]
    arguments += ["--select", "+fct_electricity_prices", "dim_date", "dim_time"]
    arguments += ["+rejected_rows", "+feed_reconciliation", "no_row_of_a_feed_is_lost"]
    result = run_dbt(arguments, warehouse, vars={"feeds": {PRICES: prices}})
    assert result.returncode == 0, result.stdout
    return warehouse


# --- values and files -----------------------------------------------------------------------------

VALUES = [
    (price_row(0), None),
    (price_row(1, price="-500"), None),
    (price_row(2, price=""), None),
    (price_row(3, carbon=""), None),
    (price_row(4, price="", carbon=""), "missing_value"),
    (price_row(5, price="NaN"), "not_finite"),
    (price_row(6, price="-Infinity"), "not_finite"),
    (price_row(7, price="1e400"), "not_finite"),
    (price_row(8, price="1e308"), "out_of_range"),
    (price_row(9, carbon="1e400"), "not_finite"),
    (price_row(10, price="50 EUR"), "not_a_number"),
    (price_row(11, price="5_0"), "not_a_number"),
    (price_row(12, price='"50,5"'), "not_a_number"),
    (price_row(13, price="20000.01"), "implausible_price"),
    (price_row(14, carbon="-1"), "negative_carbon"),
    (price_row(15, zone=""), "missing_key"),
    (price_row(16, zone='"NO3; drop table"'), None),
    ("NO3,,60,50,30", "missing_key"),
    ("NO3,2024-01-02T24:00Z,60,50,30", "not_a_time"),
    ("NO3,02.01.2024 17:00,60,50,30", "not_a_time"),
    ("NO3,1970-01-01T00:00Z,60,50,30", "time_out_of_range"),
    ("NO3,0014-01-02T00:00Z,60,50,30", "time_out_of_range"),
    ("NO3,9999-01-02T00:00Z,60,50,30", "time_out_of_range"),
    ("NO3,infinity,60,50,30", "time_out_of_range"),
    ("NO3,2024-01-02T17:00:30Z,60,50,30", "not_a_minute"),
    ("NO3,2024-01-02T18:00Z,61,50,30", "out_of_range"),
    ("NO3,2024-01-02T18:00Z,59.5,50,30", "out_of_range"),
    ("NO3,2024-01-02T18:00Z,-60,50,30", "out_of_range"),
    ("NO3,2024-01-02T18:00Z,,50,30", "missing_value"),
    ("NO3,2024-01-02T18:00Z,PT60M,50,30", "not_a_number"),
    ("NO3,2024-01-02T19:00,60,50,30", None),
    ("NO3,2024-01-02T22:00+02:00,60,51,30", None),
    ("NO3,2024-01-02 21:00:00+00,60,52,30", None),
    ("NO3,2024-01-02T22:00Z,60,50", "too_few_fields"),
    ('NO3,2024-01-02T22:00Z,60,5"0,30', "broken_quote"),
    (" NO3 , 2024-01-02T23:00Z , 60 , 53 , 30 ", None),
]


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """A warehouse from four deliveries of prices."""
    folder = tmp_path_factory.mktemp("prices")
    reordered = ",".join(HEADER.split(",")[::-1])
    deliveries = {
        # a byte order mark, and line ends of both kinds
        "1_values.csv": "\ufeff"
        + "".join(
            line + ("\r\n" if number % 2 else "\n")
            for number, line in enumerate([HEADER, *(row for row, _ in VALUES)])
        ),
        "2_again.csv": f"{HEADER}\n{price_row(0)}\n{price_row(1, '-500')}\n",
        "3_reordered.csv": f"note,{reordered}\nnew,31,60.5,60,2024-01-02T00:00Z,NO3\n",
        "4_header_only.csv": f"{HEADER}\n",
    }
    (folder / "prices").mkdir()
    for name, text in deliveries.items():
        (folder / "prices" / name).write_bytes(text.encode())
    return duckdb.connect(str(build(folder, str(folder / "prices" / "*.csv"))), read_only=True)


def test_an_impossible_price_is_rejected_with_its_reason(delivered):
    rejected = delivered.execute(
        "select row_number, rejection_reason from quality.rejected_rows order by row_number"
    ).fetchall()
    expected = [(n, reason) for n, (_, reason) in enumerate(VALUES, start=1) if reason]
    assert rejected == expected


def test_a_time_with_an_offset_is_moved_to_utc_and_one_without_is_utc(delivered):
    rows = delivered.execute(
        "select hour(starts_at), price_eur_per_mwh::integer, starts_local_at - starts_at "
        "from core.fct_electricity_prices where starts_at >= '2024-01-02 19:00' order by 1"
    ).fetchall()
    hour = timedelta(hours=1)
    assert rows == [(19, 50, hour), (20, 51, hour), (21, 52, hour), (23, 53, hour)]


def test_the_newest_price_wins_and_each_row_ends_in_one_place(delivered):
    assert delivered.execute(
        "select price_eur_per_mwh::double, gco2_per_kwh::double from core.fct_electricity_prices "
        "where price_zone = 'NO3' and starts_at = '2024-01-02 00:00'"
    ).fetchall() == [(60.5, 31.0)]
    cursor = delivered.execute(
        "select files, rows_read, accepted_rows, duplicate_rows, superseded_rows, rejected_rows, "
        "unaccounted_rows, extra_columns from quality.feed_reconciliation where feed = ?",
        [PRICES],
    )
    rejected = sum(reason is not None for _, reason in VALUES)
    accepted = len(VALUES) - rejected
    assert cursor.fetchone() == (4, len(VALUES) + 3, accepted, 1, 2, rejected, 0, "note")


def test_a_zone_that_nobody_lists_is_kept_on_utc(delivered):
    assert delivered.execute(
        "select has_known_zone, time_zone, starts_local_at = starts_at "
        "from core.fct_electricity_prices where price_zone <> 'NO3'"
    ).fetchall() == [(False, "UTC", True)]


def test_nothing_is_joined_or_sorted_while_prices_are_read(delivered):
    path = delivered.execute("select path from duckdb_databases() where path is not null")
    folder = Path(path.fetchone()[0]).parent / "target" / "compiled" / "ev_charging" / "models"
    query = (folder / "staging" / "market" / f"base_{PRICES}.sql").read_text()
    plan = delivered.execute(f"explain {query}").fetchall()[0][1]
    assert "READ_CSV" in plan
    assert "JOIN" not in plan
    assert "ORDER_BY" not in plan


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (HEADER.replace("eur_per_mwh", "price"), "has no column eur_per_mwh"),
        (HEADER.replace(",", ";"), "has no column zone"),
    ],
    ids=["renamed column", "other delimiter"],
)
def test_prices_with_another_header_are_refused(tmp_path, header, message):
    file = tmp_path / "prices.csv"
    file.write_text(f"{header}\n")
    result = run_dbt(["run"], tmp_path / "warehouse.duckdb", vars={"feeds": {PRICES: str(file)}})
    assert result.returncode != 0
    assert f"feed {PRICES} refused (header_mismatch)" in result.stdout
    assert message in result.stdout


# --- means over spans, hours and days -------------------------------------------------------------

CLOCKS = {"NO3": "Europe/Oslo", "GB": "Europe/London", "elsewhere": "UTC"}
WEEKS = [datetime(2024, 3, 28), datetime(2024, 10, 25)]
DAYS = 5


def market_rows(random: Random) -> list[str]:
    """Intervals of every length with gaps, overlaps, negative prices and missing values."""
    rows = [HEADER]
    for zone in CLOCKS:
        for week in WEEKS:
            begin = week
            while begin < week + timedelta(days=DAYS):
                length = random.choice([5, 15, 15, 30, 60, 60, 60])
                price = "" if random.random() < 0.01 else f"{random.uniform(-60, 90):.2f}"
                carbon = "" if price and random.random() < 0.01 else f"{random.uniform(0, 90):.1f}"
                rows.append(f"{zone},{begin:%Y-%m-%dT%H:%MZ},{length},{price},{carbon}")
                # one in thirty begins early, one in thirty late
                begin += timedelta(minutes=length) * random.choice([1] * 28 + [0.6, 2])
    return [*rows, "seconds,2024-01-02T00:00Z,5,10,0", "seconds,2024-01-02T00:05Z,5,40,3"]


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> tuple[duckdb.DuckDBPyConnection, Path]:
    """A warehouse of two weeks with a clock change each, with random spans and their means."""
    random = Random(20240331)
    folder = tmp_path_factory.mktemp("market")
    file = folder / "prices.csv"
    file.write_text("\n".join(market_rows(random)) + "\n")
    warehouse = build(folder, str(file))
    spans = [(-1, "seconds", datetime(2024, 1, 2, 0, 4, 30), datetime(2024, 1, 2, 0, 6))]
    for span_id in range(3000):
        begin = random.choice(WEEKS) + random.randrange(-60, (DAYS * 24 + 1) * 60) * MINUTE
        length = random.choice([0, 1, 7, 60, random.randrange(15 * 60)])
        spans.append((span_id, random.choice([*CLOCKS, "nowhere"]), begin, begin + length * MINUTE))
    frame = pd.DataFrame(spans, columns=["span_id", "zone", "from_at", "to_at"])
    with duckdb.connect(str(warehouse)) as connection:
        connection.register("frame", frame)
        connection.execute("create table spans as select * from frame")
    query = "select * from {{ with_mean_prices('spans', 'zone', 'from_at', 'to_at') }}"
    result = run_dbt(["compile", "--quiet", "--inline", query], warehouse)
    assert result.returncode == 0, result.stdout
    connection = duckdb.connect(str(warehouse))
    connection.execute(f"create temporary table means as {result.stdout}")
    return connection, file


@pytest.mark.parametrize("zone", CLOCKS)
@pytest.mark.parametrize(
    ("value", "column"), [("price", "mean_price_eur_per_mwh"), ("carbon", "mean_gco2_per_kwh")]
)
def test_the_mean_of_a_span_is_that_of_its_minutes(market, zone, value, column):
    connection, file = market
    known = by_minute(read_intervals(file, zone), value)
    rows = connection.execute(
        f"select from_at, to_at, {column} from means where zone = ?", [zone]
    ).fetchall()
    unknown = 0
    for from_at, to_at, mean in rows:
        first = minute(from_at)
        minutes = range(first, max(minute(to_at), first + 1))
        if all(number in known for number in minutes):
            expected = fsum(known[number] for number in minutes) / len(minutes)
            assert float(mean) == pytest.approx(expected, abs=1e-6)
        else:
            assert mean is None
            unknown += 1
    assert 20 < unknown < len(rows) - 20


def test_a_zone_without_prices_has_no_mean(market):
    rows = market[0].execute("select mean_price_eur_per_mwh from means where zone = 'nowhere'")
    assert set(rows.fetchall()) == {(None,)}


def test_seconds_of_a_span_count_for_their_part(market):
    # 30 seconds at 10, a minute at 40
    means = market[0].execute(
        "select mean_price_eur_per_mwh::double, mean_gco2_per_kwh::double "
        "from means where span_id = -1"
    )
    assert means.fetchall() == [(30.0, 2.0)]


@pytest.mark.parametrize(("zone", "clock"), CLOCKS.items())
def test_low_price_hours_are_the_cheapest_of_their_local_day(market, zone, clock):
    connection, file = market
    hours = by_hour(by_minute(read_intervals(file, zone), "price"))
    ranked = low_price_hours(hours, ZoneInfo(clock), LOW_PRICE_HOURS)
    expected = {
        EPOCH + first * MINUTE: (round(price, 6), *ranked[first]) for first, price in hours.items()
    }
    found = connection.execute(
        "select hour_started_at, price_eur_per_mwh::double, price_rank, missing_hours, "
        "is_low_price_hour from intermediate.int_low_price_hours "
        "where price_zone = ? and price_eur_per_mwh is not null",
        [zone],
    ).fetchall()
    assert {row[0]: row[1:] for row in found} == expected
    assert {row[-1] for row in found} == {True, False, None}


def test_an_hour_that_is_not_fully_priced_is_no_low_price_hour_and_no_other(market):
    assert market[0].execute(
        "select count(*) > 0, count(is_low_price_hour), count(price_rank) "
        "from intermediate.int_low_price_hours where price_eur_per_mwh is null"
    ).fetchall() == [(True, 0, 0)]
