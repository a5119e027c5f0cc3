"""Stations are called better or worse no more often by mistake than was agreed."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, special, stats
from statsmodels.stats.proportion import proportion_confint

from ev_charging.frames import COUNT, NUMBER, TEXT
from ev_charging.reliability.comparison import (
    BETTER,
    COMPARISON,
    NOT_DISTINGUISHABLE,
    TOO_FEW_SESSIONS,
    WORSE,
    probabilities,
    station_comparison,
)
from ev_charging.reliability.design_effect import day_design_effect
from ev_charging.reliability.false_discovery import q_values
from ev_charging.reliability.posterior import Posterior, station_posterior
from ev_charging.reliability.rate_prior import (
    RatePrior,
    fit_rate_prior,
    log_likelihood,
    mean_rate,
)

RATE = 0.05
MARGIN = 0.01
LIMITS = pd.DataFrame(
    [
        {
            "min_sessions_for_rate": 20,
            "false_discovery_rate": RATE,
            "success_rate_margin": MARGIN,
        }
    ]
)
DAYS = 40


def stations_frame(succeeded, known):
    """Return stations k000, k001, ... with these counts."""
    keys = [f"k{place:03d}" for place in range(len(known))]
    return pd.DataFrame(
        {
            "station_key": keys,
            "station_id": keys,
            "site_id": "a_site",
            "sessions_known": np.asarray(known, dtype="int64"),
            "sessions_succeeded": np.asarray(succeeded, dtype="int64"),
        }
    )


def compare(succeeded, known, limits=LIMITS):
    """Return the comparison of stations whose sessions are independent."""
    stations = stations_frame(succeeded, known)
    # A single day can't be compared with another one.
    return station_comparison(stations, stations, limits)


# --- the distribution of rates --------------------------------------------------------------------


def random_counts(rng, stations=40):
    sessions = rng.integers(5, 300, stations)
    return rng.binomial(sessions, rng.beta(45, 5, stations)).astype(float), sessions.astype(float)


def test_the_likelihood_is_the_beta_binomial_one():
    successes, sessions = random_counts(np.random.default_rng(1))
    distributions = ((0.9, 46.0), (0.8, 11.0))
    expected = [
        stats.betabinom.logpmf(successes, sessions, rate * worth, (1 - rate) * worth).sum()
        for rate, worth in distributions
    ]
    found = [log_likelihood(*each, successes, sessions) for each in distributions]
    assert found[0] - found[1] == pytest.approx(expected[0] - expected[1], rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("scale", [1.0, 0.3])
def test_the_distributions_of_a_network_are_its_likely_ones(seed, scale):
    """Also of fractions of sessions, as they are after the division by a design effect.

    They lie around the most likely of all, found by an optimiser.
    """
    rng = np.random.default_rng(seed)
    successes, sessions = (scale * counts for counts in random_counts(rng, 200))

    def loss(parameters):
        rate, worth = special.expit(parameters[0]), np.exp(parameters[1])
        return -log_likelihood(rate, worth, successes, sessions)

    best = optimize.minimize(loss, [2.0, 4.0], method="Nelder-Mead").x
    prior = fit_rate_prior(successes, sessions)
    assert prior.sessions.min() < np.exp(best[1]) < prior.sessions.max()
    assert prior.rate == pytest.approx(special.expit(best[0]), abs=0.005)


def test_the_distributions_of_a_network_are_equally_likely():
    """Each stands for as much of the posterior as the next."""
    successes, sessions = random_counts(np.random.default_rng(2), 7)
    prior = fit_rate_prior(successes, sessions)

    def density(log_worth):
        worth = np.exp(log_worth)
        rate = mean_rate(successes, sessions, worth)
        return np.exp(log_likelihood(rate, worth, successes, sessions) - log_worth + 440)

    ends = [0.0, *np.log(prior.sessions), np.log(sessions.sum())]
    parts = np.array([integrate.quad(density, *pair)[0] for pair in pairwise(ends)])
    assert parts[1:-1] / parts.sum() == pytest.approx(1 / 16, rel=0.03)
    assert parts[[0, -1]] / parts.sum() == pytest.approx(1 / 32, rel=0.1)


def test_many_stations_show_how_they_differ():
    prior = fit_rate_prior(*random_counts(np.random.default_rng(2), 5_000))
    assert prior.rate == pytest.approx(0.9, abs=0.003)
    assert prior.sessions == pytest.approx(50, rel=0.1)


def test_few_stations_don_t_show_how_they_differ():
    successes, sessions = random_counts(np.random.default_rng(2), 5)
    prior = fit_rate_prior(successes, sessions)
    assert prior.sessions.max() > 10 * prior.sessions.min()
    assert prior.sessions.max() <= sessions.sum()


@pytest.mark.parametrize(
    ("successes", "sessions"),
    [([10, 10], [10, 10]), ([0, 0, 0], [1, 2, 3]), ([7], [10]), ([0, 10], [10, 10]), ([0], [0.4])],
)
def test_a_network_at_the_edge_has_distributions(successes, sessions):
    prior = fit_rate_prior(np.array(successes, float), np.array(sessions, float))
    assert ((prior.rate > 0) & (prior.rate < 1)).all()
    assert (prior.sessions >= 1 - 1e-9).all()
    assert (prior.sessions <= max(1, sum(sessions)) + 1e-9).all()


def test_stations_without_sessions_say_nothing_about_the_others():
    successes, sessions = random_counts(np.random.default_rng(3))
    alone = fit_rate_prior(successes, sessions)
    with_idle = fit_rate_prior(np.append(successes, 0), np.append(sessions, 0))
    assert with_idle.rate == pytest.approx(alone.rate, rel=1e-12)
    assert with_idle.sessions == pytest.approx(alone.sessions, rel=1e-9)
    assert np.isnan(fit_rate_prior(np.zeros(2), np.zeros(2)).rate).all()


def test_a_posterior_has_mean_and_variance_of_what_it_stands_for():
    prior = RatePrior(np.array([0.8, 0.9]), np.array([10.0, 100.0]))
    found = station_posterior(prior, np.array([45.0, 0.0]), np.array([50.0, 0.0]))
    rng = np.random.default_rng(4)
    for place, (successes, sessions) in enumerate([(45, 50), (0, 0)]):
        draws = np.concatenate(
            [
                rng.beta(
                    rate * worth + successes, (1 - rate) * worth + sessions - successes, 400_000
                )
                for rate, worth in zip(prior.rate, prior.sessions, strict=True)
            ]
        )
        first, second = found.successes[place], found.failures[place]
        assert stats.beta.mean(first, second) == pytest.approx(draws.mean(), abs=5e-4)
        assert stats.beta.std(first, second) == pytest.approx(draws.std(), rel=5e-3)
    assert found.shrinkage_weight == pytest.approx([(10 / 60 + 100 / 150) / 2, 1])


# --- sessions of one day --------------------------------------------------------------------------


def days_frame(station, sessions, succeeded):
    return pd.DataFrame(
        {"station_key": station, "sessions_known": sessions, "sessions_succeeded": succeeded}
    )


def test_the_design_effect_is_that_of_its_formula():
    """Squares of what the days lie off the station's rate, over what chance would give."""
    stations = {"a": ([4, 2, 6], [4, 0, 5]), "b": ([3, 3], [1, 3]), "c": ([1], [0])}
    squares = expected = 0.0
    for known, succeeded in (map(np.array, counts) for counts in stations.values()):
        n, p = known.sum(), succeeded.sum() / known.sum()
        if n > 1:
            squares += ((succeeded - p * known) ** 2).sum()
            # The variance of one session, and how much of it is left around the station's own rate.
            expected += p * (1 - p) * n / (n - 1) * (known * (1 - known / n)).sum()
    days = pd.concat(days_frame(name, *counts) for name, counts in stations.items())
    assert squares > expected
    assert day_design_effect(days) == pytest.approx(squares / expected, rel=1e-12)


def test_independent_sessions_have_a_design_effect_of_one():
    rng = np.random.default_rng(4)
    known = rng.integers(0, 8, (300, DAYS))
    succeeded = rng.binomial(known, rng.beta(45, 5, 300)[:, None])
    days = days_frame(np.repeat(np.arange(300), DAYS), known.ravel(), succeeded.ravel())
    assert day_design_effect(days) == pytest.approx(1, abs=0.05)


@given(st.integers(2, 6))
def test_sessions_counted_several_times_are_no_more_sessions(copies):
    rng = np.random.default_rng(5)
    succeeded = rng.binomial(1, 0.9, 2_000)
    days = days_frame(np.repeat(np.arange(10), 200), copies, copies * succeeded)
    assert day_design_effect(days) == pytest.approx(copies, rel=0.01)


@pytest.mark.parametrize(
    "days",
    [
        days_frame([], [], []),
        days_frame(["a", "b"], [1, 1], [1, 0]),
        days_frame(["a", "a"], [5, 5], [5, 5]),
        # as many failures every day: less than chance gives
        days_frame(["a"] * 4, [2] * 4, [1] * 4),
    ],
)
def test_what_shows_no_clusters_has_a_design_effect_of_one(days):
    assert day_design_effect(days) == 1


# --- probabilities and calls ----------------------------------------------------------------------


def test_probabilities_are_those_of_drawn_rates():
    rng = np.random.default_rng(6)
    successes, failures = np.array([40.0, 90.0]), np.array([8.0, 5.0])
    posterior = Posterior(successes, failures, np.zeros(2))
    successes_of_others, others = np.array([450.0, 30.0]), np.array([500.0, 35.0])
    worse, better = probabilities(posterior, successes_of_others, others, MARGIN)
    own = rng.beta(successes, failures, (200_000, 2))
    of_others = rng.beta(
        successes_of_others + 0.5, others - successes_of_others + 0.5, (200_000, 2)
    )
    assert worse == pytest.approx((own < of_others - MARGIN).mean(axis=0), abs=0.005)
    assert better == pytest.approx((own > of_others + MARGIN).mean(axis=0), abs=0.005)


def test_a_q_value_is_the_mean_of_all_that_are_as_certain():
    found = q_values(np.array([0.2, 0.01, np.nan, 0.03, 0.01]))
    assert found == pytest.approx([0.0625, 0.01, np.nan, 0.05 / 3, 0.01], nan_ok=True)
    assert len(q_values(np.array([]))) == 0


@given(st.lists(st.floats(0, 1) | st.just(float("nan")), max_size=20))
def test_calls_below_a_level_are_false_at_most_at_that_level(values):
    values = np.array(values, dtype=float)
    found = q_values(values)
    assert (np.isnan(found) == np.isnan(values)).all()
    for level in (0.01, RATE, 0.5):
        called = values[found <= level]
        assert called.size == 0 or called.mean() <= level + 1e-12


def test_a_bad_and_a_good_station_are_found_among_usual_ones():
    known = [400] * 10 + [400, 400, 12]
    succeeded = [360] * 10 + [280, 396, 3]
    compared = compare(succeeded, known)
    assert list(compared["verdict"]) == [NOT_DISTINGUISHABLE] * 10 + [
        WORSE,
        BETTER,
        TOO_FEW_SESSIONS,
    ]
    assert compared["q_value"].isna().tolist() == [False] * 12 + [True]


def test_a_rate_is_drawn_to_the_network_the_more_the_fewer_its_sessions():
    compared = compare([360] * 10 + [7, 70, 700], [400] * 10 + [10, 100, 1000])
    few, some, many = compared["shrunken_success_rate"].iloc[-3:]
    assert 0.7 < many < some < few < compared["prior_success_rate"].iloc[0]
    assert compared["shrinkage_weight"].iloc[-3:].is_monotonic_decreasing
    widths = (compared["shrunken_rate_high"] - compared["shrunken_rate_low"]).iloc[-3:]
    assert widths.is_monotonic_decreasing


def test_a_station_is_not_compared_with_itself():
    """The largest has nearly all sessions: it is compared with the few others."""
    compared = compare([4_000, 95, 97], [5_000, 100, 100])
    assert compared["success_rate_of_others"].tolist() == pytest.approx(
        [192 / 200, 4_097 / 5_100, 4_095 / 5_100]
    )
    assert compared["verdict"].tolist() == [WORSE, BETTER, BETTER]


def test_a_difference_that_matters_to_nobody_is_not_found_in_any_number_of_sessions():
    known = np.full(6, 1_000_000)
    succeeded = known * np.array([0.9, 0.9, 0.9, 0.9, 0.905, 0.895])
    assert set(compare(succeeded, known)["verdict"]) == {NOT_DISTINGUISHABLE}
    no_margin = LIMITS.assign(success_rate_margin=0.0)
    assert compare(succeeded, known, no_margin)["verdict"].iloc[-2:].tolist() == [BETTER, WORSE]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=2, max_size=6))
def test_failures_seen_as_successes_turn_every_verdict(counts):
    successes, failures = np.array(counts).T
    first = compare(successes, successes + failures)
    second = compare(failures, successes + failures)
    turned = {BETTER: WORSE, WORSE: BETTER}
    assert second["verdict"].tolist() == [turned.get(v, v) for v in first["verdict"]]
    assert second["probability_better"].tolist() == pytest.approx(
        first["probability_worse"].tolist(), abs=1e-6, nan_ok=True
    )


def test_the_order_of_the_stations_changes_nothing():
    rng = np.random.default_rng(7)
    stations = stations_frame(*map(np.sort, random_counts(rng, 12)))
    stations["sessions_known"] += stations["sessions_succeeded"]
    days = stations.drop(columns=["station_id", "site_id"])
    first = station_comparison(stations, days, LIMITS)
    second = station_comparison(stations.iloc[::-1], days.iloc[::-1], LIMITS)
    pd.testing.assert_frame_equal(first, second)


def test_days_of_stations_that_are_not_compared_count_nowhere():
    stations = stations_frame([90, 80], [100, 100])
    own = days_frame(["k000", "k001"] * 2, 50, [45, 40, 45, 40])
    foreign = days_frame(["unlisted"] * 2, 50, [0, 50])
    first = station_comparison(stations, own, LIMITS)
    second = station_comparison(stations, pd.concat([own, foreign]), LIMITS)
    pd.testing.assert_frame_equal(first, second)


@pytest.mark.parametrize(
    ("succeeded", "known", "verdicts"),
    [
        ([], [], []),
        ([0, 0], [0, 0], [TOO_FEW_SESSIONS] * 2),
        ([30], [100], [NOT_DISTINGUISHABLE]),
        ([30, 0], [100, 0], [NOT_DISTINGUISHABLE, TOO_FEW_SESSIONS]),
        ([100, 10], [100, 100], [BETTER, WORSE]),
        ([50] * 3, [50] * 3, [NOT_DISTINGUISHABLE] * 3),
        ([0] * 3, [50] * 3, [NOT_DISTINGUISHABLE] * 3),
    ],
)
def test_networks_at_the_edge_are_compared(succeeded, known, verdicts):
    compared = compare(succeeded, known)
    assert compared["verdict"].tolist() == verdicts
    assert list(compared.columns) == list(COMPARISON)
    types = {TEXT: "str", NUMBER: "float64", COUNT: "Int64"}
    assert [str(kind) for kind in compared.dtypes] == [types[k] for k in COMPARISON.values()]
    is_rated = np.array(known) > 0
    assert (compared["success_rate"].notna() == is_rated).all()
    assert (compared["shrunken_success_rate"].notna() == any(is_rated)).all()


# --- simulated networks ---------------------------------------------------------------------------

NETWORKS = {
    "alike": lambda rng, stations: np.full(stations, 0.9),
    "close": lambda rng, stations: rng.beta(270, 30, stations),
    "spread": lambda rng, stations: rng.beta(45, 5, stations),
    # no beta distribution looks like this
    "few_broken": lambda rng, stations: np.where(rng.random(stations) < 0.1, 0.7, 0.93),
}
DAY_CORRELATION = 0.1


def simulate(rng, rates, day_correlation=DAY_CORRELATION):
    """Return stations and days of sessions that succeed with these rates.

    The rate of a station is another one each day, with this correlation of two sessions of a day.
    """
    expected = np.ceil(rng.lognormal(np.log(150), 0.8, len(rates))).astype(int)
    known = rng.multinomial(expected, np.full(DAYS, 1 / DAYS))
    worth = 1 / day_correlation - 1
    of_day = rng.beta(worth * rates[:, None], worth * (1 - rates[:, None]), known.shape)
    succeeded = rng.binomial(known, of_day)
    stations = stations_frame(succeeded.sum(axis=1), known.sum(axis=1))
    keys = np.repeat(stations["station_key"].to_numpy(), DAYS)
    days = days_frame(keys, known.ravel(), succeeded.ravel())
    return stations, days[days["sessions_known"] > 0]


def is_false(stations, rates, verdicts, margin=MARGIN):
    """Return which stations are called worse or better and aren't, by the margin."""
    known = stations["sessions_known"].to_numpy()
    of_others = ((known * rates).sum() - known * rates) / (known.sum() - known)
    return ((verdicts == WORSE) & ~(rates < of_others - margin)) | (
        (verdicts == BETTER) & ~(rates > of_others + margin)
    )


def ours(stations, days):
    return station_comparison(stations, days, LIMITS)


def by_wilson(stations, days):
    """What is seen by eye: the rate of the network lies outside of the station's interval."""
    known, succeeded = stations["sessions_known"], stations["sessions_succeeded"]
    low, high = proportion_confint(succeeded, known, method="wilson")
    network = succeeded.sum() / known.sum()
    verdict = np.select([high < network, low > network], [WORSE, BETTER], NOT_DISTINGUISHABLE)
    return stations.assign(verdict=verdict)


def replicate(network, judge, replicates, stations=25, **options):
    """Return a row per simulated network: calls, shares of false ones, errors of the rates."""
    rng = np.random.default_rng(8)
    rows = []
    for _ in range(replicates):
        rates = NETWORKS[network](rng, stations)
        simulated = simulate(rng, rates, **options)
        judged = judge(*simulated)
        verdicts = judged["verdict"].to_numpy()
        calls = np.isin(verdicts, [WORSE, BETTER]).sum()
        row = {
            "calls": calls,
            "false": is_false(simulated[0], rates, verdicts).sum() / max(calls, 1),
            "wrong_way": is_false(simulated[0], rates, verdicts, 0).sum() / max(calls, 1),
        }
        if judge is ours:
            low, high = judged["shrunken_rate_low"], judged["shrunken_rate_high"]
            row |= {
                "held": ((low <= rates) & (rates <= high)).mean(),
                "raw": ((judged["success_rate"] - rates) ** 2).sum(),
                "shrunken": ((judged["shrunken_success_rate"] - rates) ** 2).sum(),
            }
        rows.append(row)
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def replicates():
    """Networks of 25 stations of each kind, judged by the comparison."""
    return {network: replicate(network, ours, 60) for network in NETWORKS}


def stays_below(shares, level):
    """Return whether the mean of shares is below a level, as far as so many of them can say."""
    return shares.mean() <= level + 2 * shares.std() / np.sqrt(len(shares))


@pytest.mark.parametrize("network", NETWORKS)
def test_false_discoveries_stay_below_their_rate(replicates, network):
    found = replicates[network]
    assert stays_below(found["false"], RATE)
    assert stays_below(found["wrong_way"], RATE)
    least = {"alike": 0, "close": 0.1, "spread": 4, "few_broken": 6}[network]
    assert found["calls"].mean() >= least


def test_a_handful_of_stations_has_no_more_false_discoveries():
    found = replicate("spread", ours, 100, stations=4)
    assert stays_below(found["false"], RATE)
    assert found["calls"].mean() > 0.3


def test_where_rates_follow_no_beta_distribution_few_calls_go_the_wrong_way():
    """Of a few broken stations among equal ones, sure of each by many independent sessions.

    Some calls are within the margin then, but on the right side.
    """
    found = replicate("few_broken", ours, 100, day_correlation=1e-3)
    assert stays_below(found["wrong_way"], RATE / 2)
    assert found["false"].mean() < 2 * RATE


@pytest.mark.parametrize("network", ["alike", "close"])
def test_intervals_that_miss_the_rate_of_the_network_are_false_far_more_often(network):
    assert replicate(network, by_wilson, 40)["false"].mean() > 4 * RATE


def test_sessions_taken_as_independent_give_too_many_false_discoveries():
    """What the design effect is for: the same comparison without it fails."""

    def without_days(stations, days):
        return station_comparison(stations, stations, LIMITS)

    found = replicate("spread", without_days, 60, day_correlation=0.2)
    assert not stays_below(found["false"], RATE)


@pytest.mark.parametrize("network", ["alike", "close", "spread"])
def test_shrunken_rates_are_closer_to_the_truth(replicates, network):
    found = replicates[network]
    assert found["shrunken"].sum() < 0.75 * found["raw"].sum()


@pytest.mark.parametrize("network", NETWORKS)
def test_credible_intervals_hold_the_truth_as_often_as_they_say(replicates, network):
    assert replicates[network]["held"].mean() > 0.925
