"""The made-up market: prices by zone and hour, and the seed."""

import csv
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ev_charging.market.prices import ZONES, hourly_prices, split_hours
from ev_charging.market.seeds import (
    BAD_ROWS,
    MISSING_HOURS,
    PRICES_FILE,
    seed_prices,
    write_price_seed,
)
from ev_charging.stateless_random import exponential, normal, uniform

SEED = 42
SEEDS_FOLDER = Path(__file__).resolve().parents[2] / "seeds" / "raw"
COLUMNS = ["zone", "starts_at", "minutes", "eur_per_mwh", "g_co2_per_kwh"]
QUARANTINED = {"not_a_number", "missing_key", "out_of_range", "not_finite", "implausible_price"}


@pytest.fixture(scope="module")
def year():
    return hourly_prices("NO3", date(2024, 1, 1), 366, SEED)


@pytest.fixture(scope="module")
def local(year):
    return year["starts_at"].dt.tz_localize("UTC").dt.tz_convert("Europe/Oslo")


@pytest.fixture(scope="module")
def seed_rows():
    return seed_prices(SEED)


@pytest.fixture(scope="module")
def good_rows(seed_rows):
    """Return the rows of the seed that count, typed."""
    is_time = seed_rows["starts_at"].str.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ")
    rows = seed_rows[is_time].copy()
    for column in COLUMNS[2:]:
        rows[column] = pd.to_numeric(rows[column], errors="coerce")
    rows = rows[rows[COLUMNS[2:]].notna().all(axis=1) & (rows["minutes"] > 0)]
    rows = rows[rows["eur_per_mwh"].abs() < 20_000]
    rows["starts_at"] = pd.to_datetime(rows["starts_at"])
    return rows.drop_duplicates(["zone", "starts_at"], keep="last")


# --- random numbers by their keys ------------------------------------------------------------


@given(st.integers(0, 10**12), st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_a_number_is_the_same_alone_and_among_others(seed, user, day):
    users = np.array([user, user + 1])[:, np.newaxis]
    among = uniform(seed, "plug-in", users, np.array([day - 1, day]))
    assert uniform(seed, "plug-in", user, day) == among[0, 1]
    assert 0 < among.min() <= among.max() < 1


def test_keys_channels_and_seeds_give_numbers_of_their_own():
    keys = np.arange(-500, 500)
    columns = [
        uniform(1, "a", keys),
        uniform(2, "a", keys),
        uniform(1, "b", keys),
        uniform(1, "a", keys, 999),
        uniform(1, "a", 999, keys),
    ]
    assert len(np.unique(columns)) == 5000
    assert np.abs(np.corrcoef(columns) - np.eye(5)).max() < 0.15


def test_the_numbers_have_their_distribution():
    keys = np.arange(200_000)
    counts = np.histogram(uniform(7, "u", keys), bins=100, range=(0, 1))[0]
    assert np.sum((counts - 2000) ** 2 / 2000) < 150  # chi-square with 99 degrees of freedom
    values = normal(7, "n", keys)
    assert abs(values.mean()) < 0.01
    assert abs(values.std() - 1) < 0.01
    assert abs(exponential(7, "e", keys).mean() - 1) < 0.01


# --- prices ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("NO3", date(2024, 3, 30), 24),
        ("NO3", date(2024, 3, 31), 23),
        ("NO3", date(2024, 10, 27), 25),
        ("GB", date(2025, 3, 30), 23),
        ("GB", date(2024, 10, 27), 25),
    ],
)
def test_local_days_have_all_their_hours(zone, day, hours):
    prices = hourly_prices(zone, day, 1, SEED)
    assert len(prices) == hours
    assert set(prices["starts_at"].diff().dropna()) == {pd.Timedelta(hours=1)}
    midnight = datetime.combine(day, datetime.min.time(), tzinfo=ZoneInfo(ZONES[zone].time_zone))
    assert prices["starts_at"].iloc[0].timestamp() == midnight.timestamp()


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(ZONES)), st.integers(0, 364), st.integers(1, 4))
def test_an_hour_has_the_same_price_in_every_window(zone, first, days):
    day = date.fromordinal(date(2024, 1, 1).toordinal() + first)
    alone = hourly_prices(zone, day, days, SEED)
    around = hourly_prices(zone, date.fromordinal(day.toordinal() - 3), days + 6, SEED)
    matching = around[around["starts_at"].isin(alone["starts_at"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, matching)


def test_zones_and_seeds_have_prices_of_their_own(year):
    for other in (
        hourly_prices("GB", date(2024, 1, 1), 366, SEED),
        hourly_prices("NO3", date(2024, 1, 1), 366, SEED + 1),
    ):
        assert (other["eur_per_mwh"].to_numpy() != year["eur_per_mwh"].to_numpy()).mean() > 0.9


def test_the_day_is_cheap_at_night_and_midday_and_dear_when_people_are_at_home(year, local):
    by_hour = year.groupby(local.dt.hour)["eur_per_mwh"].mean()
    night, midday = by_hour[[0, 1, 2, 3, 4]], by_hour[[11, 12, 13, 14]]
    assert night.mean() < midday.mean()
    assert 1.15 * max(night.max(), midday.max()) < by_hour[[7, 8, 17, 18, 19]].min()


def test_winter_and_workdays_are_dearer_than_summer_and_weekends(year, local):
    price = year["eur_per_mwh"]
    assert (
        price[local.dt.month.isin([1, 2, 12])].mean()
        > 1.5 * price[local.dt.month.isin([6, 7, 8])].mean()
    )
    is_weekend = local.dt.day_of_week >= 5
    assert price[~is_weekend].mean() > 1.1 * price[is_weekend].mean()


def test_prices_follow_the_hour_and_the_day_before_and_carbon_follows_them(year):
    price = year["eur_per_mwh"].to_numpy()
    assert np.corrcoef(price[1:], price[:-1])[0, 1] > 0.9
    assert np.corrcoef(price[24:], price[:-24])[0, 1] > 0.6
    assert 0.7 < np.corrcoef(price, year["g_co2_per_kwh"])[0, 1] < 0.99
    assert year["g_co2_per_kwh"].min() > 0


def test_prices_are_negative_in_some_sunny_hours_mostly_on_sundays(year, local):
    negative = local[year["eur_per_mwh"] < 0]
    assert 10 <= len(negative) <= 150
    assert (negative.dt.day_of_week == 6).mean() > 0.5
    assert negative.dt.hour.between(10, 16).all()
    assert negative.dt.month.between(4, 9).all()


def test_unknown_zones_and_no_days_are_refused():
    with pytest.raises(ValueError, match="zone must be one of NO3, GB"):
        hourly_prices("XX9", date(2024, 1, 1), 1, SEED)
    with pytest.raises(ValueError, match="at least one day"):
        hourly_prices("NO3", date(2024, 1, 1), 0, SEED)


@pytest.mark.parametrize("minutes", [15, 30, 60])
def test_shorter_intervals_keep_the_mean_of_their_hour(minutes):
    prices = hourly_prices("NO3", date(2024, 10, 27), 2, SEED)
    split = split_hours(prices, minutes)
    assert set(split["minutes"]) == {minutes}
    assert set(split["starts_at"].diff().dropna()) == {pd.Timedelta(minutes=minutes)}
    hours = split.groupby(split["starts_at"].dt.floor("h"))[["eur_per_mwh", "g_co2_per_kwh"]]
    expected = prices.set_index("starts_at")[["eur_per_mwh", "g_co2_per_kwh"]]
    gap = (hours.mean() - expected).abs()
    assert gap["eur_per_mwh"].max() <= 0.005 + 1e-9
    assert gap["g_co2_per_kwh"].max() <= 0.05 + 1e-9


@pytest.mark.parametrize("minutes", [0, 7, 90])
def test_intervals_that_do_not_fill_an_hour_are_refused(year, minutes):
    with pytest.raises(ValueError, match="can't be split"):
        split_hours(year.head(3), minutes)


# --- the seed --------------------------------------------------------------------------------


def test_the_price_seed_on_disk_is_what_the_script_writes(tmp_path):
    written = write_price_seed(tmp_path, SEED)
    content = (tmp_path / PRICES_FILE).read_bytes()
    assert content == (SEEDS_FOLDER / PRICES_FILE).read_bytes()
    assert content.count(b"\n") == 1 + written[tmp_path / PRICES_FILE] <= 9_900
    assert b"\r" not in content
    assert b'"' not in content


def test_every_line_of_the_price_seed_has_the_fields_of_its_header():
    with (SEEDS_FOLDER / PRICES_FILE).open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file, quoting=csv.QUOTE_NONE))
    assert lines[0] == COLUMNS
    assert {len(line) for line in lines} == {len(COLUMNS)}


def test_the_seed_covers_the_local_year_but_for_three_hours_of_a_night_in_july(good_rows, year):
    rows = good_rows[good_rows["zone"] == "NO3"]
    covered = set(rows["starts_at"].dt.floor("h"))
    missing = sorted(set(year["starts_at"].dt.tz_localize("UTC")) - covered)
    assert missing == list(MISSING_HOURS.tz_localize("UTC"))
    local_missing = [hour.tz_convert("Europe/Oslo") for hour in missing]
    assert {(hour.month, hour.hour < 6) for hour in local_missing} == {(7, True)}
    assert covered <= set(year["starts_at"].dt.tz_localize("UTC"))


def test_the_seed_has_quarter_hours_and_half_hours_of_a_week_each(good_rows):
    for zone, minutes, first in (("NO3", 15, "2024-12-25"), ("GB", 30, "2024-06-10")):
        rows = good_rows[(good_rows["zone"] == zone) & (good_rows["minutes"] == minutes)]
        local = rows["starts_at"].dt.tz_convert(ZONES[zone].time_zone)
        assert len(rows) == 7 * 24 * 60 // minutes
        assert local.min() == pd.Timestamp(first, tz=ZONES[zone].time_zone)
        assert local.max() - local.min() == pd.Timedelta(days=7) - pd.Timedelta(minutes=minutes)
    assert Counter(good_rows["minutes"]).keys() == {15, 30, 60}


def test_the_price_seed_has_one_bad_row_of_each_kind(seed_rows, good_rows):
    bad = [row for _, row in BAD_ROWS]
    assert {row.kind for row in bad} == QUARANTINED | {"exact_duplicate", "superseded"}
    assert len(seed_rows) == len(good_rows) + len(bad)
    repeated = seed_rows[seed_rows.duplicated(keep="first")]
    assert len(repeated) == 1
    for text, column in (("81.4EUR", 3), ("NaN", 4), ("99999", 3), ("0", 2), ("", 1)):
        assert (seed_rows[COLUMNS[column]] == text).sum() == 1


def test_the_superseded_price_comes_before_the_right_one(seed_rows, year):
    versions = seed_rows[seed_rows["starts_at"] == "2024-05-23T12:00Z"]["eur_per_mwh"].tolist()
    right = year.set_index("starts_at")["eur_per_mwh"][pd.Timestamp("2024-05-23T12:00")]
    assert versions == ["7.77", f"{right:.2f}"]
