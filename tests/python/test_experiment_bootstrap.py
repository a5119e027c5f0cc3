"""The user bootstrap draws users, is the same on every run, and agrees with other bootstraps."""

import time
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from ev_charging.experiment.arm import Arm
from ev_charging.experiment.bootstrap import chunk_draws, user_bootstrap
from ev_charging.experiment.effect import Effect
from ev_charging.experiment.naive import session_bootstrap, welch_t
from ev_charging.experiment.ratio import delta_method
from experiment_data import binned, random_arm

CONTROL, TREATMENT = random_arm(seed=1), random_arm(seed=2, users=220, shift=0.1)
STREAM = "charge_timing/low_price_share"


def resampled(
    control: Arm = CONTROL,
    treatment: Arm = TREATMENT,
    replicates: int = 2000,
    seed: int = 42,
    stream: str = STREAM,
    threads: int | None = None,
) -> tuple[Effect, Effect, np.ndarray]:
    return user_bootstrap(control, treatment, replicates, seed, stream, threads=threads)


def weights(arm: Arm, replicates: int, index: int = 0) -> np.ndarray:
    """How often each replicate of the first chunk draws each user."""
    drawn = chunk_draws(arm.users, replicates, 42, STREAM, index, chunk=0)
    return np.array([np.bincount(users, minlength=arm.users) for users in drawn])


def difference_of_drawn_users(control: Arm, treatment: Arm):
    """The statistic for scipy, whose samples are the places of the users of each arm."""

    def difference(of_control, of_treatment, axis=-1):
        ratios = [
            arm.numerator[users].sum(axis=axis) / arm.denominator[users].sum(axis=axis)
            for arm, users in ((control, of_control), (treatment, of_treatment))
        ]
        return ratios[1] - ratios[0]

    return difference


def scipy_bootstrap(control: Arm, treatment: Arm, **options):
    places = (np.arange(control.users), np.arange(treatment.users))
    statistic = difference_of_drawn_users(control, treatment)
    return stats.bootstrap(places, statistic, vectorized=True, **options)


def test_the_same_seed_gives_the_same_bytes():
    first, second = resampled(), resampled()
    assert first[2].tobytes() == second[2].tobytes()
    assert first[:2] == second[:2]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_do_not_matter(threads):
    assert resampled(threads=threads)[2].tobytes() == resampled()[2].tobytes()


@pytest.mark.parametrize("change", [{"stream": "charge_timing/energy"}, {"seed": 43}])
def test_another_metric_or_seed_has_other_random_numbers(change):
    one, other = resampled()[2], resampled(**change)[2]
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.1


def test_the_arms_have_random_numbers_of_their_own():
    differences = resampled(CONTROL, CONTROL)[2]
    assert delta_method(CONTROL, CONTROL).standard_error == pytest.approx(
        differences.std(ddof=1), rel=0.06
    )


def test_all_replicates_are_delivered_whatever_their_number():
    for replicates in (2, 1000, 3001):
        differences = resampled(replicates=replicates)[2]
        assert differences.shape == (replicates,)
        assert len(np.unique(differences)) == replicates


@pytest.mark.parametrize("seed", range(5))
def test_replicates_spread_as_far_as_the_delta_method_says(seed):
    control, treatment = random_arm(seed, 400), random_arm(seed + 100, 400)
    percentile, _, differences = resampled(control, treatment)
    ratio = percentile.standard_error / delta_method(control, treatment).standard_error
    assert 0.94 < ratio < 1.06
    assert differences.mean() == pytest.approx(
        percentile.difference, abs=0.1 * percentile.standard_error
    )


def test_every_user_has_weights_of_their_own():
    of_users = weights(CONTROL, replicates=500)
    assert of_users.shape == (500, CONTROL.users)
    assert len(np.unique(of_users, axis=1).T) == CONTROL.users


def test_a_replicate_draws_as_many_users_as_there_are():
    of_users = weights(CONTROL, replicates=500)
    assert (of_users.sum(axis=1) == CONTROL.users).all()
    # Drawn with replacement, the share of users that a replicate misses tends to 1/e.
    assert (of_users == 0).mean() == pytest.approx(np.exp(-1), abs=0.005)
    expected = CONTROL.users * stats.binom.pmf(range(6), CONTROL.users, 1 / CONTROL.users) * 500
    assert np.bincount(of_users.ravel())[:6] == pytest.approx(expected, rel=0.1)


def test_replicates_are_the_ratios_of_the_weighted_users():
    replicates = 100
    ratios = [
        (weights(arm, replicates, index) @ arm.numerator)
        / (weights(arm, replicates, index) @ arm.denominator)
        for index, arm in enumerate((CONTROL, TREATMENT))
    ]
    differences = resampled(replicates=replicates)[2]
    assert differences == pytest.approx(ratios[1] - ratios[0], rel=1e-12)


# Among few users, many replicates equal the difference that was observed.
FEW = Arm([1.0, 0, 2, 1, 1], [2.0, 1, 2, 1, 3]), Arm([1.0, 0, 0, 1], [1.0, 1, 2, 1])
PAIRS = [(random_arm(seed, 40 * seed), random_arm(seed + 50, 47 * seed)) for seed in (1, 2, 4)]


@pytest.mark.parametrize(("control", "treatment"), [FEW, *PAIRS])
def test_the_same_replicates_give_the_intervals_of_scipy(control, treatment):
    percentile, bca, differences = resampled(control, treatment)
    own = SimpleNamespace(bootstrap_distribution=differences)
    for effect, method in ((percentile, "percentile"), (bca, "BCa")):
        scipy = scipy_bootstrap(
            control, treatment, method=method, n_resamples=0, bootstrap_result=own
        )
        assert effect.ci_low == pytest.approx(scipy.confidence_interval.low, rel=1e-9)
        assert effect.ci_high == pytest.approx(scipy.confidence_interval.high, rel=1e-9)
        assert effect.standard_error == pytest.approx(scipy.standard_error, rel=1e-9)
    assert bca.ci_low != percentile.ci_low


@pytest.mark.parametrize("method", ["percentile", "BCa"])
def test_intervals_lie_where_the_replicates_of_scipy_put_them(method):
    percentile, bca, _ = resampled(replicates=20_000)
    effect = {"percentile": percentile, "BCa": bca}[method]
    expected = scipy_bootstrap(
        CONTROL, TREATMENT, method=method, n_resamples=20_000, batch=2000, rng=1
    ).confidence_interval
    tolerance = 0.03 * (expected.high - expected.low)
    assert effect.ci_low == pytest.approx(expected.low, abs=tolerance)
    assert effect.ci_high == pytest.approx(expected.high, abs=tolerance)


def test_a_lower_alpha_gives_a_wider_interval():
    def width(alpha: float) -> float:
        effect = user_bootstrap(CONTROL, TREATMENT, 4000, 42, STREAM, alpha)[0]
        return effect.ci_high - effect.ci_low

    assert width(0.01) > width(0.05) > width(0.2)


def test_replicates_in_which_nobody_has_a_denominator_stay_out():
    sparse = Arm(np.r_[1.0, 0.0, np.zeros(6)], np.r_[2.0, 1.0, np.zeros(6)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        percentile, bca, differences = resampled(sparse, TREATMENT)
    assert 0 < np.isnan(differences).mean() < 0.3
    for effect in (percentile, bca):
        assert effect.status == "ok"
        assert effect.ci_low < effect.ci_high


def test_a_user_with_nearly_all_of_the_denominator_has_no_bca_interval():
    lopsided = Arm([1.0, 1.0, 0.0], [1e18, 1.0, 1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        percentile, bca, _ = resampled(lopsided, TREATMENT)
    assert (percentile.status, bca.status) == ("ok", "too_few_users")
    assert np.isnan([bca.ci_low, bca.ci_high]).all()


def test_fifty_thousand_users_are_resampled_within_seconds():
    large = random_arm(1, 50_000), random_arm(2, 50_000)
    started = time.perf_counter()
    percentile, _, _ = resampled(*large)
    seconds = time.perf_counter() - started
    ratio = percentile.standard_error / delta_method(*large).standard_error
    assert 0.94 < ratio < 1.06
    # 0.5 s on two idle cores; the margin is for busy ones.
    assert seconds < 5


def test_it_is_faster_than_scipy():
    large = random_arm(1, 20_000), random_arm(2, 20_000)

    def seconds(run) -> float:
        times = []
        for _ in range(3):
            started = time.perf_counter()
            run()
            times.append(time.perf_counter() - started)
        return min(times)

    own = seconds(lambda: resampled(*large, replicates=200))
    scipy = seconds(lambda: scipy_bootstrap(*large, method="percentile", n_resamples=200))
    assert scipy > 3 * own


@pytest.mark.parametrize("change", [{"replicates": 1}, {"seed": -1}])
def test_senseless_arguments_are_refused(change):
    with pytest.raises(ValueError, match=r"replicates|non-negative|negative"):
        resampled(**change)


def test_resampled_sessions_are_those_of_a_bootstrap_of_single_sessions():
    random = np.random.default_rng(5)
    control, treatment = random.gamma(2, 6, 300).round(1), random.gamma(2, 7, 280).round(1)
    binned_arms = binned(control), binned(treatment)
    effect = session_bootstrap(*binned_arms, replicates=10_000, seed=1, stream=STREAM)
    expected = stats.bootstrap(
        (treatment, control),
        lambda t, c, axis=-1: t.mean(axis=axis) - c.mean(axis=axis),
        n_resamples=10_000,
        method="percentile",
        rng=1,
    )
    low, high = expected.confidence_interval
    assert effect.difference == pytest.approx(treatment.mean() - control.mean(), rel=1e-12)
    assert effect.standard_error == pytest.approx(expected.standard_error, rel=0.03)
    assert effect.ci_low == pytest.approx(low, abs=0.03 * (high - low))
    assert effect.ci_high == pytest.approx(high, abs=0.03 * (high - low))


def test_resampled_sessions_are_the_same_on_every_run_and_differ_between_metrics():
    arms = [binned(np.arange(50.0) * step) for step in (1.0, 1.1)]
    first, second = (session_bootstrap(*arms, 500, 1, "energy") for _ in range(2))
    assert first == second
    assert first != session_bootstrap(*arms, 500, 1, "cost")
    assert first.standard_error == pytest.approx(welch_t(*arms).standard_error, rel=0.1)
