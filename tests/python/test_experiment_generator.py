"""The experiment generator: exact effects, realistic users, consistent sessions, faults, files."""

import csv
import json
from collections import Counter
from dataclasses import replace
from datetime import date
from fractions import Fraction

import duckdb
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import generate_experiment as command
from ev_charging.bad_rows import DUPLICATE, SUPERSEDED, bad_row, spread, with_bad_rows
from ev_charging.experiment_feed.delivery import SESSION_DECIMALS, USER_DECIMALS
from ev_charging.experiment_feed.effect import Effects
from ev_charging.experiment_feed.experiment import generate_experiment
from ev_charging.experiment_feed.faults import FAULTS, LOST_SHARE, MIXED_SHARE
from ev_charging.experiment_feed.population import SEGMENTS
from ev_charging.experiment_feed.price_calendar import NO_HOUR, PriceCalendar
from ev_charging.experiment_feed.seeds import (
    BAD_SESSIONS,
    BAD_USERS,
    EMPTY_FIELDS,
    MIXED_USERS,
    ODD_KINDS,
    SEED_USERS,
    SESSIONS_FILE,
    USERS_FILE,
    seed_experiment,
    write_experiment_seeds,
)
from ev_charging.feed_files import as_text, write_feed, write_text
from ev_charging.market.prices import hourly_prices
from ev_charging.market.seeds import PRICES_FILE
from ev_charging.residential.local_clock import LocalClock

SEED = 42
SEEDS_FOLDER = command.SEEDS_FOLDER
FILES = (USERS_FILE, SESSIONS_FILE, PRICES_FILE)
USER_COLUMNS = [
    *("experiment_id", "user_id", "variant", "assigned_at", "segment", "pre_sessions"),
    *("pre_low_price_sessions", "pre_peak_sessions", "pre_energy_kwh"),
    *("pre_low_price_energy_kwh", "pre_cost_eur", "pre_co2_g"),
]
SESSION_COLUMNS = [
    *("session_id", "user_id", "plugged_in_at", "charging_started_at", "charging_ended_at"),
    *("plugged_out_at", "energy_kwh", "cost_eur", "in_low_price_window"),
]
TIMES = SESSION_COLUMNS[2:6]
CLOCK_CHANGES = {"autumn": date(2024, 10, 21), "spring": date(2024, 3, 25)}
LARGEST_POWER_KW = 22


@pytest.fixture(scope="module")
def experiment():
    """Return the experiment of the seeds."""
    return generate_experiment(users=SEED_USERS, seed=SEED)


@pytest.fixture(scope="module")
def large():
    return generate_experiment(users=12_000, seed=SEED)


@pytest.fixture(scope="module")
def seed_rows():
    return seed_experiment(SEED)


@pytest.fixture(scope="module", params=CLOCK_CHANGES)
def around_clock_change(request):
    """Return an experiment that spans a day of 25 or of 23 hours, with all effects at once."""
    effects = Effects(low_price_share=0.2, energy_pct=25, sessions_pct=20)
    return generate_experiment(users=1500, effects=effects, start=CLOCK_CHANGES[request.param])


def local(instants):
    return instants.dt.tz_localize("UTC").dt.tz_convert("Europe/Oslo")


def per_user(experiment, value, arm=None):
    """Return the sums of a value and the number of sessions of all users or of those of an arm."""
    users = experiment.users
    if arm is not None:
        users = users[users["variant"] == arm]
    values = value(experiment.sessions).groupby(experiment.sessions["user_id"])
    sums = values.agg(["sum", "size"]).reindex(users["user_id"], fill_value=0)
    return sums["sum"].to_numpy(float), sums["size"].to_numpy(float)


def ratio_and_variance(numerator, denominator):
    """Return R and its variance by the delta method (F2 of the domain)."""
    n, ratio = len(numerator), numerator.sum() / denominator.sum()
    residuals = numerator - ratio * denominator
    return ratio, n / (n - 1) * np.sum(residuals**2) / denominator.sum() ** 2


def is_low(sessions):
    return sessions["in_low_price_window"].astype(float)


def energy(sessions):
    return sessions["energy_kwh"]


# --- prices by the minute --------------------------------------------------------------------


@pytest.fixture(scope="module")
def calendar_prices():
    return hourly_prices("NO3", date(2024, 10, 24), 6, SEED)


@pytest.fixture(scope="module")
def calendar(calendar_prices):
    return PriceCalendar.of(calendar_prices, LocalClock.of_year(2024))


def test_every_local_day_has_six_low_price_hours_also_the_one_of_25_hours(
    calendar, calendar_prices
):
    days = local(calendar_prices["starts_at"]).dt.date
    hours_per_day = days.value_counts()
    assert hours_per_day[date(2024, 10, 27)] == 25
    assert set(calendar_prices.groupby(days)["starts_at"].size()) == {24, 25}
    for _, day in calendar_prices.assign(is_low=calendar.is_low).groupby(days):
        cheapest = sorted(zip(day["eur_per_mwh"], day["starts_at"], strict=True))[:6]
        assert {start for _, start in cheapest} == set(day.loc[day["is_low"], "starts_at"])


def test_of_hours_with_one_price_the_earlier_ones_are_low_price_hours(calendar_prices):
    flat = calendar_prices.assign(eur_per_mwh=50.0)
    calendar = PriceCalendar.of(flat, LocalClock.of_year(2024))
    first_day = calendar.is_low[:24]
    assert first_day.tolist() == [True] * 6 + [False] * 18
    minute = calendar.first_hour * 60
    assert calendar.cheapest_start(np.array([minute]), np.array([minute + 360])) == minute


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 130 * 60), st.integers(-90, 26 * 60))
def test_the_cheapest_start_is_that_of_a_search_hour_by_hour(
    calendar, calendar_prices, offset, wait
):
    earliest = calendar.first_hour * 60 + offset
    found = calendar.cheapest_start(np.array([earliest]), np.array([earliest + wait]))[0]
    best = NO_HOUR, np.inf
    for place in np.flatnonzero(calendar.is_low):
        hour = 60 * (calendar.first_hour + int(place))
        start = max(hour, earliest)
        price = calendar_prices["eur_per_mwh"].iloc[place]
        if start <= earliest + wait and start < hour + 60 and price < best[1]:
            best = start, price
    assert found == best[0]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 100 * 60), st.integers(1, 30 * 60), st.integers(0, 90_000))
def test_cost_and_carbon_are_those_of_every_minute(
    calendar, calendar_prices, offset, minutes, energy_wh
):
    start = calendar.first_hour * 60 + offset
    hours = np.arange(offset, offset + minutes) // 60
    kwh_per_minute = Fraction(energy_wh, 1000 * minutes)
    for values, scale, decimals, got in (
        ("eur_per_mwh", 1000, 4, calendar.cost_eur),
        ("g_co2_per_kwh", 1, None, calendar.carbon_g),
    ):
        per_kwh = [Fraction(f"{value}") for value in calendar_prices[values].iloc[hours]]
        expected = float(sum(per_kwh) * kwh_per_minute / scale)
        tolerance = 0.5 * 10**-decimals + 1e-9 if decimals else 1e-6 * max(expected, 1)
        arrays = (np.array([value]) for value in (start, start + minutes, energy_wh))
        assert abs(float(got(*arrays)[0]) - expected) <= tolerance


# --- the effect ------------------------------------------------------------------------------


def effect(experiment, metric, kind="absolute"):
    return experiment.truth["metrics"][metric][kind]


@settings(max_examples=12, deadline=None)
@given(
    st.floats(-0.1, 0.3),
    st.sampled_from([-40.0, -15.0, 0.0, 7.0, 15.0]),
    st.sampled_from([-20.0, 0.0, 5.0, 25.0]),
)
def test_the_effects_of_the_population_are_those_asked_for(share, sessions_pct, energy_pct):
    experiment = generate_experiment(
        users=400, effects=Effects(share, energy_pct=energy_pct, sessions_pct=sessions_pct)
    )
    sessions = 400 * effect(experiment, "sessions_per_user", "control")
    treated_sessions = 400 * effect(experiment, "sessions_per_user", "treatment")
    # to the nearest session
    assert abs(effect(experiment, "low_price_share") - share) <= 0.5 / treated_sessions + 1e-12
    assert abs(treated_sessions - sessions * (1 + sessions_pct / 100)) <= 0.5 + 1e-6
    if sessions_pct == 0:
        relative = effect(experiment, "energy_per_session", "relative_pct")
        assert relative == pytest.approx(energy_pct, abs=0.01)


def test_without_effects_both_worlds_are_the_same():
    experiment = generate_experiment(users=300, effects=Effects(low_price_share=0))
    for metric in experiment.truth["metrics"].values():
        assert metric["absolute"] == 0
        assert all(part["absolute"] == 0 for part in metric["segments"].values())


def test_the_sessions_of_control_users_do_not_depend_on_the_effects(experiment):
    strong = generate_experiment(
        users=SEED_USERS, effects=Effects(0.3, energy_pct=20, sessions_pct=30)
    )
    control = experiment.users.loc[experiment.users["variant"] == "control", "user_id"]
    frames = [
        part.sessions[part.sessions["user_id"].isin(control)]
        .drop(columns="session_id")
        .reset_index(drop=True)
        for part in (experiment, strong)
    ]
    pd.testing.assert_frame_equal(*frames)
    pd.testing.assert_frame_equal(experiment.users, strong.users)


def test_the_delivered_arms_are_samples_of_both_worlds(large):
    """Means of the arms lie near the population's: the assignment is random."""
    for metric, value in (("low_price_share", is_low), ("energy_per_session", energy)):
        for arm in ("control", "treatment"):
            ratio, variance = ratio_and_variance(*per_user(large, value, arm))
            assert abs(ratio - large.truth["metrics"][metric][arm]) < 3.5 * np.sqrt(variance)


def test_cheaper_hours_lower_cost_carbon_and_peaks_and_leave_energy_alone(experiment):
    for metric in ("cost_per_kwh", "gco2_per_kwh", "peak_hour_share"):
        assert effect(experiment, metric, "relative_pct") < -1
    assert effect(experiment, "low_price_energy_share") > 0.05
    assert effect(experiment, "energy_per_session") == 0
    assert effect(experiment, "sessions_per_user") == 0


def test_segments_have_effects_of_their_own_that_average_to_the_whole(experiment):
    metric = experiment.truth["metrics"]["low_price_share"]
    by_segment = [part["absolute"] for part in metric["segments"].values()]
    assert min(by_segment) < metric["absolute"] < max(by_segment)
    assert set(metric["segments"]) == set(experiment.users["segment"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"effects": Effects(0.9)}, "low-price share moves"),
        ({"effects": Effects(-0.5)}, "low-price share moves"),
        ({"effects": Effects(sessions_pct=5000)}, "days of users have none"),
        ({"users": 1}, "two users"),
        ({"days": 0}, "one day"),
        ({"sessions_per_user_and_week": 7}, "between 0 and 7"),
        ({"sessions_per_user_and_week": float("nan")}, "between 0 and 7"),
        ({"users": 2, "days": 1, "sessions_per_user_and_week": 1e-6}, "no user has a session"),
        ({"faults": ["typo"]}, "unknown faults: typo"),
        ({"experiment_id": " "}, "needs an id"),
        ({"start": date(1999, 1, 1)}, "between 2000 and 2099"),
    ],
)
def test_what_no_population_can_show_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        generate_experiment(**({"users": 200} | arguments))


@pytest.mark.parametrize(
    "values",
    [
        *({"low_price_share": 1.1}, {"low_price_share": float("nan")}, {"energy_pct": 26}),
        *({"energy_pct": -51}, {"sessions_pct": -100}, {"sessions_pct": float("inf")}),
    ],
)
def test_effects_out_of_their_range_are_refused(values):
    with pytest.raises(ValueError, match="the effect on"):
        replace(Effects(), **values)


# --- realism ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "low", "high"), [(is_low, 4, 6), (energy, 3, 8)])
@pytest.mark.parametrize("name", ["experiment", "large"])
def test_the_design_effect_is_that_of_users_with_habits(request, name, value, low, high):
    experiment = request.getfixturevalue(name)
    delta = naive = 0.0
    arms = experiment.users.set_index("user_id")["variant"]
    for arm in ("control", "treatment"):
        delta += ratio_and_variance(*per_user(experiment, value, arm))[1]
        values = value(experiment.sessions)[experiment.sessions["user_id"].map(arms) == arm]
        naive += values.var() / len(values)
    assert low < delta / naive < high


def test_users_differ_widely_and_each_is_regular(large):
    count = per_user(large, is_low)[1]
    assert 2.3 < count.mean() / 2 < 2.7
    assert np.percentile(count / 2, 10) <= 0.7
    assert np.percentile(count / 2, 90) >= 4.5
    assert (count == 0).sum() >= 3
    # Poisson counts of two weeks would miss a quarter of those of eight by 1.25 times their mean.
    surprise = count - large.users["pre_sessions"].to_numpy() / 4
    fano = surprise.var() / (1.25 * count.mean())
    assert 0.05 < fano < 0.2


def test_users_charge_either_mostly_or_hardly_ever_in_low_price_hours(large):
    low, count = per_user(large, is_low, "control")
    share = low[count >= 6] / count[count >= 6]
    assert np.mean((share < 0.2) | (share > 0.8)) > 0.8
    assert 0.2 < np.mean(share > 0.8) < 0.5


def test_sessions_are_as_large_as_those_of_real_neighbourhoods(large):
    kwh = large.sessions["energy_kwh"]
    assert 12 < kwh.mean() < 14
    assert 8.5 < kwh.median() < 10.5
    assert 60 < kwh.max() <= 70


def test_the_pre_period_predicts_the_number_of_sessions(experiment):
    """CUPED at 1,000 users per arm brings the relative standard error below 1 %."""
    count = per_user(experiment, is_low)[1]
    before = experiment.users["pre_sessions"].to_numpy(float)
    theta = np.cov(count, before)[0, 1] / before.var(ddof=1)
    adjusted = count - theta * before
    assert 0.006 < np.sqrt(2 * adjusted.var(ddof=1) / 1000) / count.mean() < 0.009


def test_arms_and_segments_have_their_shares(large):
    counts = large.users["variant"].value_counts()
    assert large.truth["design"]["assigned_users"] == counts.to_dict()
    assert abs(counts["treatment"] - 6000) < 3.5 * np.sqrt(3000)
    shares = large.users["segment"].value_counts(normalize=True)
    assert {segment.name for segment in SEGMENTS} == set(shares.index)
    for segment in SEGMENTS:
        assert abs(shares[segment.name] - segment.share) < 0.02


# --- sessions --------------------------------------------------------------------------------


def minute_by_minute(sessions, prices):
    """Return flag and cost of sessions, from the prices alone, one minute after the other."""
    hours = prices.assign(day=local(prices["starts_at"]).dt.date)
    hours = hours.sort_values(["day", "eur_per_mwh", "starts_at"])
    low_hours = set(hours.groupby("day").head(6)["starts_at"])
    price = prices.set_index("starts_at")["eur_per_mwh"]
    flags, costs = [], []
    for session in sessions.itertuples():
        flags.append(session.charging_started_at.floor("h") in low_hours)
        minutes = pd.date_range(
            session.charging_started_at, session.charging_ended_at, freq="min", inclusive="left"
        )
        mean = price[minutes.floor("h")].mean()
        costs.append(session.energy_kwh * mean / 1000)
    return np.array(flags), np.array(costs)


def test_flags_and_costs_follow_from_the_delivered_prices(around_clock_change):
    sample = around_clock_change.sessions.sample(500, random_state=SEED)
    flags, costs = minute_by_minute(sample, around_clock_change.prices)
    np.testing.assert_array_equal(sample["in_low_price_window"].to_numpy(bool), flags)
    np.testing.assert_allclose(sample["cost_eur"], costs, atol=5.1e-5)


def test_times_of_a_session_are_in_order_and_there_is_time_for_its_energy(around_clock_change):
    sessions = around_clock_change.sessions
    for earlier, later, strict in zip(TIMES, TIMES[1:], (False, True, False), strict=False):
        gap = sessions[later] - sessions[earlier]
        assert (gap > pd.Timedelta(0)).all() if strict else (gap >= pd.Timedelta(0)).all()
    hours = (sessions["charging_ended_at"] - sessions["charging_started_at"]).dt.total_seconds()
    assert (sessions["energy_kwh"] > 0).all()
    assert (sessions["energy_kwh"] <= LARGEST_POWER_KW * hours / 3600 + 1e-9).all()
    for column in TIMES:
        assert (sessions[column].dt.second == 0).all()


def test_sessions_of_a_user_never_overlap(around_clock_change):
    sessions = around_clock_change.sessions.sort_values(["user_id", "plugged_in_at"])
    same_user = sessions["user_id"] == sessions["user_id"].shift()
    gap = sessions["plugged_in_at"] - sessions["plugged_out_at"].shift()
    assert same_user.sum() > 5000
    assert (gap[same_user] > pd.Timedelta(0)).all()


def test_sessions_begin_on_the_days_of_the_experiment_after_the_assignment(around_clock_change):
    design = around_clock_change.truth["design"]
    days = local(around_clock_change.sessions["plugged_in_at"]).dt.date
    assert days.min() == date.fromisoformat(design["starts_on"])
    assert days.max() == date.fromisoformat(design["ends_on"])
    assert days.nunique() == design["days"] == 14
    assigned = around_clock_change.users["assigned_at"]
    assert assigned.max() < around_clock_change.sessions["plugged_in_at"].min()


def test_sessions_are_numbered_in_order_of_their_plugin(experiment):
    assert experiment.sessions["plugged_in_at"].is_monotonic_increasing
    numbers = experiment.sessions["session_id"].str.removeprefix("s").astype(int)
    assert numbers.tolist() == list(range(1, len(numbers) + 1))
    assert set(experiment.sessions["user_id"]) <= set(experiment.users["user_id"])


def test_totals_of_the_pre_period_are_possible(experiment):
    users = experiment.users
    assert (users["pre_low_price_sessions"] <= users["pre_sessions"]).all()
    assert (users["pre_peak_sessions"] <= users["pre_sessions"]).all()
    assert (users["pre_sessions"] <= 56).all()
    assert (users["pre_low_price_energy_kwh"] <= users["pre_energy_kwh"] + 1e-9).all()
    assert ((users["pre_sessions"] == 0) == (users["pre_energy_kwh"] == 0)).all()
    charged = users[users["pre_energy_kwh"] > 0]
    assert (charged["pre_cost_eur"] / charged["pre_energy_kwh"]).between(0.01, 0.15).all()
    assert (charged["pre_co2_g"] / charged["pre_energy_kwh"]).between(15, 80).all()


# --- determinism -----------------------------------------------------------------------------


def test_the_same_arguments_give_the_same_experiment(experiment):
    again = generate_experiment(users=SEED_USERS, seed=SEED)
    for name in ("users", "sessions", "prices"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(experiment, name))
    assert again.truth == experiment.truth


def test_another_seed_gives_another_experiment(experiment):
    other = generate_experiment(users=SEED_USERS, seed=SEED + 1)
    assert (other.users["variant"] != experiment.users["variant"]).mean() > 0.4
    assert other.truth["metrics"] != experiment.truth["metrics"]


def test_more_users_change_no_user_that_was_there_before(experiment, large):
    same = large.users.head(SEED_USERS)
    pd.testing.assert_frame_equal(same, experiment.users)
    control = experiment.users.loc[experiment.users["variant"] == "control", "user_id"]
    frames = [
        part.sessions[part.sessions["user_id"].isin(control)]
        .drop(columns="session_id")
        .reset_index(drop=True)
        for part in (experiment, large)
    ]
    pd.testing.assert_frame_equal(*frames)


# --- faults ----------------------------------------------------------------------------------


def with_fault(*names):
    return generate_experiment(users=SEED_USERS, seed=SEED, faults=names)


def test_lost_logging_removes_treated_users_with_their_sessions(experiment):
    faulty = with_fault("lost_logging")
    lost = set(experiment.users["user_id"]) - set(faulty.users["user_id"])
    treated = experiment.users.loc[experiment.users["variant"] == "treatment", "user_id"]
    assert lost < set(treated)
    assert len(lost) == round(LOST_SHARE * len(treated))
    assert not set(faulty.sessions["user_id"]) & lost
    kept = experiment.sessions[~experiment.sessions["user_id"].isin(lost)].reset_index(drop=True)
    pd.testing.assert_frame_equal(faulty.sessions, kept)


def test_mixed_users_have_a_row_in_either_arm(experiment):
    faulty = with_fault("mixed_users")
    rows = faulty.users.groupby("user_id")["variant"].agg(["size", "nunique"])
    assert (rows["size"] == rows["nunique"]).all()
    assert (rows["size"] == 2).sum() == round(MIXED_SHARE * SEED_USERS)
    pd.testing.assert_frame_equal(faulty.sessions, experiment.sessions)


def test_nulls_are_missing_in_five_percent_of_sessions(experiment):
    faulty = with_fault("nulls")
    for column in ("energy_kwh", "in_low_price_window"):
        missing = faulty.sessions[column].isna()
        assert missing.sum() == round(0.05 * len(missing))
        kept = faulty.sessions[column][~missing]
        pd.testing.assert_series_equal(kept, experiment.sessions[column][~missing])


def test_the_whale_has_half_of_all_sessions(experiment):
    faulty = with_fault("whale")
    counts = faulty.sessions["user_id"].value_counts()
    assert counts.iloc[0] == counts.iloc[1:].sum()
    arms = faulty.users.set_index("user_id")["variant"]
    assert arms[counts.index[0]] == "treatment"
    assert faulty.sessions["session_id"].is_unique
    pd.testing.assert_frame_equal(faulty.users, experiment.users)


def test_a_moved_denominator_is_an_effect_on_sessions():
    faulty = with_fault("moved_denominator")
    assert effect(faulty, "sessions_per_user", "relative_pct") == pytest.approx(15, abs=0.01)
    assert effect(faulty, "low_price_share") == pytest.approx(0.08, abs=1e-4)


def test_faults_add_up():
    faulty = with_fault(*FAULTS)
    counts = faulty.sessions["user_id"].value_counts()
    assert counts.iloc[0] == counts.iloc[1:].sum()
    assert faulty.users["user_id"].duplicated().any()
    assert faulty.sessions["energy_kwh"].isna().any()
    assert faulty.truth["design"]["faults"] == list(FAULTS)


# --- the seeds -------------------------------------------------------------------------------


def test_the_experiment_seeds_on_disk_are_what_the_script_writes(tmp_path):
    written = write_experiment_seeds(tmp_path, SEED)
    for path, rows in written.items():
        content = path.read_bytes()
        assert content == (SEEDS_FOLDER / path.name).read_bytes()
        assert content.count(b"\n") == rows + 1
        assert b"\r" not in content
        assert b'"' not in content
    assert {path.name for path in tmp_path.iterdir()} == {USERS_FILE, SESSIONS_FILE}


def test_the_experiment_seeds_stay_small(seed_rows):
    assert 9_000 < len(seed_rows[1]) < 11_000
    assert sum((SEEDS_FOLDER / name).stat().st_size for name in FILES) < 1.7e6


def test_every_line_of_the_experiment_seeds_has_the_fields_of_its_header():
    for name, columns in ((USERS_FILE, USER_COLUMNS), (SESSIONS_FILE, SESSION_COLUMNS)):
        with (SEEDS_FOLDER / name).open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file, quoting=csv.QUOTE_NONE))
        assert lines[0] == columns
        assert {len(line) for line in lines} == {len(columns)}


def test_the_seeds_hold_the_experiment_but_for_a_few_rows(seed_rows, experiment):
    users, sessions = seed_rows
    assert len(users) == SEED_USERS + len(BAD_USERS) + MIXED_USERS
    assert len(sessions) == len(experiment.sessions) + len(BAD_SESSIONS)
    clean = as_text(experiment.sessions, SESSION_DECIMALS)
    pd.testing.assert_series_equal(
        sessions.drop_duplicates("session_id", keep="last")
        .loc[lambda rows: rows["session_id"].str.startswith("s"), "plugged_out_at"]
        .reset_index(drop=True),
        clean["plugged_out_at"],
    )
    for column in ("energy_kwh", "in_low_price_window", "charging_started_at"):
        emptied = sessions.drop_duplicates("session_id", keep="last")[column] == ""
        assert emptied.sum() == EMPTY_FIELDS


def judge(row):
    """Return what is wrong with a session, as a reader of the format would find it."""
    if row["session_id"] == "":
        return "missing_key"
    if row["plugged_in_at"] == "":
        return "missing_value"
    times = pd.to_datetime([row[column] for column in TIMES if row[column]], errors="coerce")
    if times.isna().any():
        return "not_a_time"
    if times.min() < pd.Timestamp("2000-01-01", tz="UTC"):
        return "time_out_of_range"
    kwh = pd.to_numeric(row["energy_kwh"] or "0", errors="coerce")
    if row["energy_kwh"] == "NaN":
        return "not_finite"
    if np.isnan(kwh):
        return "not_a_number"
    if row["in_low_price_window"] not in ("true", "false", ""):
        return "not_a_boolean"
    if not times.is_monotonic_increasing:
        return "end_before_start"
    if kwh < 0:
        return "negative_energy"
    return "implausible_energy" if kwh > 169 else None


def test_bad_sessions_of_each_kind_are_present(seed_rows):
    users, sessions = seed_rows
    assigned = users.groupby("user_id")["assigned_at"].min()
    found, versions = Counter(), Counter()
    for row in sessions.to_dict("records"):
        reason = judge(row)
        if reason:
            found[reason] += 1
        elif row["user_id"] not in assigned.index:
            found["unknown_user"] += 1
        elif row["plugged_in_at"] < assigned[row["user_id"]]:
            found["before_assignment"] += 1
        else:
            versions[row["session_id"]] += 1
    repeated = [key for key, count in versions.items() if count > 1]
    for key in repeated:
        same = sessions[sessions["session_id"] == key].drop_duplicates()
        found[DUPLICATE if len(same) == 1 else SUPERSEDED] += 1
    assert found == Counter(row.kind for row in BAD_SESSIONS)
    assert set(ODD_KINDS) < set(found)


def test_mixed_users_of_the_seed_are_few(seed_rows):
    users, _ = seed_rows
    arms = users[users["user_id"] != ""].groupby("user_id")["variant"].nunique()
    assert (arms == 2).sum() == MIXED_USERS
    assert MIXED_USERS / SEED_USERS < 0.01


def test_outdated_rows_come_before_the_right_ones():
    rows = pd.DataFrame({"key": ["a", "b", "c"], "value": ["1", "2", "3"]})
    damage = [(0, bad_row(SUPERSEDED, value="0")), (2, bad_row(DUPLICATE))]
    damaged = with_bad_rows(rows, damage)
    assert damaged["value"].tolist() == ["0", "1", "2", "3", "3"]
    with pytest.raises(ValueError, match="bad rows need"):
        spread([bad_row(DUPLICATE)] * 3, 2)


# --- text ------------------------------------------------------------------------------------


def test_values_are_written_as_the_contract_has_them():
    frame = pd.DataFrame(
        {
            "key": ["a", None],
            "at": pd.to_datetime(["2024-10-27T00:30:00", None]).astype("datetime64[s]"),
            "kwh": [9.1, np.nan],
            "flag": pd.array([True, pd.NA], dtype="boolean"),
        }
    )
    text = as_text(frame, {"kwh": 3})
    assert text.iloc[0].tolist() == ["a", "2024-10-27T00:30Z", "9.100", "true"]
    assert text.iloc[1].tolist() == ["", "", "", ""]


def test_values_that_would_need_quotes_are_refused(tmp_path):
    with pytest.raises(csv.Error):
        write_text(pd.DataFrame({"key": ["a,b"]}), tmp_path / "file.csv")
    with pytest.raises(ValueError, match="format must be one of"):
        write_feed(pd.DataFrame({"key": ["a"]}), {}, tmp_path, "file", "xlsx")


# --- the command -----------------------------------------------------------------------------


def run(*arguments):
    return CliRunner().invoke(
        command.generate_experiment_feeds, [str(argument) for argument in arguments]
    )


def test_without_an_output_the_command_writes_the_three_seeds(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "SEEDS_FOLDER", tmp_path)
    result = run()
    assert result.exit_code == 0, result.output
    assert {path.name for path in tmp_path.iterdir()} == set(FILES)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (SEEDS_FOLDER / name).read_bytes()


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_with_an_output_the_command_writes_a_whole_experiment(tmp_path, file_format, experiment):
    result = run("--output", tmp_path / "new", "--users", SEED_USERS, "--format", file_format)
    assert result.exit_code == 0, result.output
    names = {"experiment__users", "experiment__sessions", "market__prices"}
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        *(f"{name}.{file_format}" for name in names),
        "truth.json",
    }
    read = duckdb.read_parquet if file_format == "parquet" else duckdb.read_csv
    options = {} if file_format == "parquet" else {"all_varchar": True}
    for name, frame, decimals in (
        ("experiment__users", experiment.users, USER_DECIMALS),
        ("experiment__sessions", experiment.sessions, SESSION_DECIMALS),
    ):
        source = read(str(tmp_path / "new" / f"{name}.{file_format}"), **options)
        assert {str(kind) for kind in source.types} == {"VARCHAR"}
        pd.testing.assert_frame_equal(source.df().fillna(""), as_text(frame, decimals))
    truth = json.loads((tmp_path / "new" / "truth.json").read_text())
    assert truth == experiment.truth


def test_the_same_command_writes_the_same_bytes(tmp_path):
    for folder in ("a", "b"):
        assert run("--output", tmp_path / folder, "--users", 500, "--fault", "nulls").exit_code == 0
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_the_command_passes_its_arguments_on(tmp_path):
    result = run(
        *("--output", tmp_path, "--users", 800, "--days", 7, "--start", "2025-06-02"),
        *("--experiment-id", "summer", "--sessions-per-user-and-week", 4),
        *("--effect-low-price-share", 0.1, "--effect-energy-pct", 5, "--effect-sessions-pct", 10),
        *("--fault", "whale", "--fault", "mixed_users", "--seed", 7),
    )
    assert result.exit_code == 0, result.output
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert truth["experiment_id"] == "summer"
    assert truth["arguments"] == {"low_price_share": 0.1, "energy_pct": 5, "sessions_pct": 10}
    design = truth["design"]
    assert (design["users"], design["days"], design["seed"]) == (800, 7, 7)
    assert (design["starts_on"], design["ends_on"]) == ("2025-06-02", "2025-06-08")
    assert design["faults"] == ["whale", "mixed_users"]
    assert truth["metrics"]["sessions_per_user"]["control"] == pytest.approx(4, rel=0.08)


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (["--users", "1"], 2),
        (["--users", "many"], 2),
        (["--days", "0"], 2),
        (["--seed", "-1"], 2),
        (["--start", "21.10.2024"], 2),
        (["--format", "xlsx"], 2),
        (["--fault", "gremlins"], 2),
        (["--effect-low-price-share", "2"], 2),
        (["--effect-energy-pct", "80"], 2),
        (["--effect-sessions-pct", "-100"], 2),
        (["--sessions-per-user-and-week", "0"], 2),
        (["--users", "500", "--effect-low-price-share", "0.9"], 1),
        (["--users", "500", "--effect-low-price-share", "nan"], 1),
        (["--users", "500", "--experiment-id", ""], 1),
        (["--users", "500", "--start", "1800-01-01"], 1),
    ],
)
def test_wrong_arguments_of_the_command_are_refused(tmp_path, arguments, exit_code):
    result = run("--output", tmp_path, *arguments)
    assert result.exit_code == exit_code
    assert isinstance(result.exception, SystemExit)
    assert result.output.strip().splitlines()[-1].startswith("Error: ")
    assert not list(tmp_path.iterdir())


def test_options_of_large_experiments_need_an_output(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "SEEDS_FOLDER", tmp_path)
    result = run("--users", 500)
    assert result.exit_code == 2
    assert "Error: --users is for a large experiment and needs --output" in result.output
    assert not list(tmp_path.iterdir())


def test_an_output_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    result = run("--output", tmp_path / "file" / "x", "--users", 100)
    assert result.exit_code == 1
    assert result.output.strip().splitlines()[-1].startswith("Error: can't write into")


def test_the_help_explains_every_fault():
    text = " ".join(run("--help").output.split())
    for name, meaning in FAULTS.items():
        assert f"{name}: {meaning}" in text.replace("- ", "-")
