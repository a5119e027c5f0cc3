"""Properties that the estimators of the experiment must have, whatever the data."""

import math
import time
import warnings
from dataclasses import asdict, replace

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from ev_charging.experiment.arm import Arm
from ev_charging.experiment.bootstrap import user_bootstrap
from ev_charging.experiment.cuped import cuped
from ev_charging.experiment.effect import (
    Effect,
    Estimate,
    compare,
    critical_value,
    excludes_zero,
    two_sided_p,
)
from ev_charging.experiment.multiple import benjamini_hochberg, holm
from ev_charging.experiment.naive import (
    SessionValues,
    session_bootstrap,
    two_proportion_z,
    welch_t,
)
from ev_charging.experiment.noninferiority import noninferiority
from ev_charging.experiment.power import (
    design_effect,
    effective_sessions,
    minimum_detectable_effect,
    standard_error_after,
    users_needed,
)
from ev_charging.experiment.probability import expected_loss, probability_to_beat
from ev_charging.experiment.ratio import delta_method
from ev_charging.experiment.regression import cluster_robust, hc3
from ev_charging.experiment.sample_ratio import sample_ratio
from ev_charging.experiment.segments import cochran_q
from ev_charging.experiment.sequence import confidence_sequence
from experiment_data import binned, random_arm

ALPHA = 0.05
# Of a difference of two ratios, rounding is a share of the ratios, not of the difference.
ROUNDING = 1e-12

# The same examples on every run, however busy the machine.
repeatable = settings(derandomize=True, deadline=None)


@st.composite
def users_with_sessions(draw) -> Arm:
    """Small arms: sessions and sessions in the window of each user."""
    sessions = draw(st.lists(st.integers(0, 12), min_size=3, max_size=25))
    return Arm([draw(st.integers(0, count)) for count in sessions], sessions)


@st.composite
def two_arms(draw) -> tuple[Arm, Arm]:
    """Two small arms whose difference can be tested."""
    arms = draw(users_with_sessions()), draw(users_with_sessions())
    assume(delta_method(*arms).status == "ok")
    return arms


def scaled(arm: Arm, numerator: float = 1, denominator: float = 1) -> Arm:
    return Arm(arm.numerator * numerator, arm.denominator * denominator)


def reordered(arm: Arm, seed: int) -> Arm:
    order = np.random.default_rng(seed).permutation(arm.users)
    columns = (arm.numerator, arm.denominator, arm.pre_numerator, arm.pre_denominator)
    return Arm(*(None if column is None else column[order] for column in columns))


def with_users_without_sessions(arm: Arm, users: int) -> Arm:
    nothing = np.zeros(users)
    return Arm(np.r_[arm.numerator, nothing], np.r_[arm.denominator, nothing])


def sessions_of(control: Arm, treatment: Arm) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Value, arm and user of each session: ones first, then zeros."""
    values, is_treatment, users = [], [], []
    for index, arm in enumerate((control, treatment)):
        for user, (ones, count) in enumerate(zip(arm.numerator, arm.denominator, strict=True)):
            values += [1.0] * int(ones) + [0.0] * int(count - ones)
            is_treatment += [float(index)] * int(count)
            users += [(index, user)] * int(count)
    _, groups = np.unique(users, axis=0, return_inverse=True)
    return np.array(values), np.array(is_treatment), groups.ravel()


def assert_same(first: Effect, second: Effect, rel: float = 1e-9, scale: float = 1.0) -> None:
    for field, value in asdict(first).items():
        other = asdict(second)[field]
        if isinstance(value, float):
            assert value == pytest.approx(other, rel=rel, abs=ROUNDING * scale, nan_ok=True), field
        else:
            assert value == other, field


# The delta method


@repeatable
@given(two_arms(), st.integers(2, 50))
def test_sessions_that_are_delivered_k_times_change_nothing(arms, k):
    assert_same(delta_method(*(scaled(arm, k, k) for arm in arms)), delta_method(*arms))


@repeatable
@given(two_arms())
def test_swapped_arms_give_the_mirror_image(arms):
    effect, mirrored = delta_method(*arms), delta_method(*reversed(arms))
    assert mirrored.difference == -effect.difference
    assert mirrored.standard_error == pytest.approx(effect.standard_error, rel=1e-12)
    assert mirrored.p_value == pytest.approx(effect.p_value, rel=1e-9)
    assert mirrored.ci_low == pytest.approx(-effect.ci_high, rel=1e-9, abs=ROUNDING)
    assert mirrored.ci_high == pytest.approx(-effect.ci_low, rel=1e-9, abs=ROUNDING)
    if effect.relative_interval == mirrored.relative_interval == "log ratio":
        product = (1 + effect.relative_ci_low) * (1 + mirrored.relative_ci_high)
        assert product == pytest.approx(1, rel=1e-9)


@repeatable
@given(two_arms())
def test_watt_hours_for_kilowatt_hours_change_only_the_unit(arms):
    effect = delta_method(*arms)
    in_wh = delta_method(*(scaled(arm, numerator=1000) for arm in arms))
    for field in ("difference", "standard_error", "ci_low", "ci_high"):
        expected = 1000 * getattr(effect, field)
        assert getattr(in_wh, field) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    for field in ("p_value", "relative_difference", "relative_ci_low", "relative_ci_high"):
        expected = getattr(effect, field)
        assert getattr(in_wh, field) == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("seed", range(5))
def test_one_session_per_user_is_the_t_test_of_welch(seed):
    random = np.random.default_rng(seed)
    control, treatment = random.gamma(2, 6, 40), random.gamma(2, 8, 57)
    effect = delta_method(
        *(Arm(values, np.ones(len(values))) for values in (control, treatment)), distribution="t"
    )
    expected = stats.ttest_ind(treatment, control, equal_var=False)
    interval = expected.confidence_interval(1 - ALPHA)
    assert effect.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert effect.degrees_of_freedom == pytest.approx(expected.df, rel=1e-9)
    assert effect.ci_low == pytest.approx(interval.low, rel=1e-9)
    assert effect.ci_high == pytest.approx(interval.high, rel=1e-9)


@repeatable
@given(two_arms(), st.integers(1, 40))
def test_users_without_sessions_change_only_the_correction_for_few_users(arms, idle):
    control, treatment = arms
    effect = delta_method(control, treatment, distribution="normal")
    more = delta_method(
        with_users_without_sessions(control, idle), treatment, distribution="normal"
    )
    assert more.difference == pytest.approx(effect.difference, abs=ROUNDING)
    users = control.users + idle
    factor = (users / (users - 1)) / (control.users / (control.users - 1))
    variance = control.ratio_variance * factor + treatment.ratio_variance
    assert more.standard_error == pytest.approx(math.sqrt(variance), rel=1e-9)


@repeatable
@given(two_arms())
def test_without_that_correction_it_is_the_regression_with_clustered_errors(arms):
    values, is_treatment, users = sessions_of(*arms)
    regression = sm.OLS(values, sm.add_constant(is_treatment)).fit(
        cov_type="cluster", cov_kwds={"groups": users, "use_correction": False}
    )
    uncorrected = sum(arm.ratio_variance * (arm.users - 1) / arm.users for arm in arms)
    assert delta_method(*arms).difference == pytest.approx(regression.params[1], abs=1e-9)
    assert uncorrected == pytest.approx(regression.cov_params()[1, 1], rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_users_does_not_matter(seed):
    arms = random_arm(seed, 3000), random_arm(seed + 10, 2800)
    shuffled = [reordered(arm, seed) for arm in arms]
    sessions = sum(arm.denominator.sum() for arm in arms)
    for estimate in (
        delta_method,
        hc3,
        lambda c, t: cluster_robust(c, t, sessions),
        lambda c, t: cuped(c, t).effect,
    ):
        assert_same(estimate(*arms), estimate(*shuffled), rel=1e-11)


def test_welch_is_for_arms_below_250_users():
    small, large = random_arm(1, 249), random_arm(2, 250)
    assert delta_method(small, large).degrees_of_freedom is not None
    assert delta_method(large, small).degrees_of_freedom is not None
    assert delta_method(large, large).degrees_of_freedom is None
    assert delta_method(small, small, distribution="normal").degrees_of_freedom is None
    assert delta_method(large, large, distribution="t").degrees_of_freedom is not None


def test_a_tiny_p_value_is_not_zero():
    effect = compare(Estimate(0.0, 0.5, 1000), Estimate(30.0, 0.5, 1000))
    assert effect.p_value == pytest.approx(2 * stats.norm.sf(30), rel=1e-9)
    assert two_sided_p(20.0, 300) == pytest.approx(2 * stats.t.sf(20, 300), rel=1e-9)
    assert effect.p_value > 0


def test_two_thousand_users_take_less_than_a_millisecond():
    arms = random_arm(1, 1000), random_arm(2, 1000)
    columns = [(arm.numerator, arm.denominator) for arm in arms]
    times = []
    for _ in range(20):
        started = time.perf_counter()
        delta_method(*(Arm(*pair) for pair in columns))
        times.append(time.perf_counter() - started)
    assert min(times) < 0.001


# The relative effect


def effects_near_the_level(cases: int) -> list[Effect]:
    """Effects whose p-value lies close to alpha on either side, of either sign."""
    random = np.random.default_rng(11)
    effects = []
    for case in range(cases):
        df = (None, "Welch", 7.0)[case % 3]
        control = random.normal(1, 1)
        variances = random.exponential(size=2) * random.choice([1e-4, 1e-2, 0.1], 2)
        distance = random.choice([-1, 1]) * 10 ** random.uniform(-9, -0.5)
        units = random.integers(5, 500, 2)
        plain = compare(
            Estimate(control, variances[0], units[0]),
            Estimate(control + 1, variances[1], units[1]),
            degrees_of_freedom=df,
        )
        critical = critical_value(ALPHA, plain.degrees_of_freedom)
        difference = random.choice([-1, 1]) * critical * plain.standard_error * (1 + distance)
        effects.append(
            compare(
                Estimate(control, variances[0], units[0]),
                Estimate(control + difference, variances[1], units[1]),
                degrees_of_freedom=df,
            )
        )
    return effects


def test_relative_and_absolute_verdicts_never_contradict():
    effects = effects_near_the_level(20_000)
    for effect in effects:
        is_significant = effect.p_value < ALPHA
        assert excludes_zero(effect.ci_low, effect.ci_high) == is_significant
        if effect.relative_interval:
            low, high = effect.relative_ci_low, effect.relative_ci_high
            assert excludes_zero(low, high) == is_significant
            assert low <= effect.relative_difference <= high
            assert not is_significant or (low > 0) == (effect.difference > 0)
        else:
            assert math.isnan(effect.relative_ci_low)
            assert math.isnan(effect.relative_ci_high)
    kinds = [effect.relative_interval for effect in effects]
    assert min(kinds.count(kind) for kind in ("log ratio", "Fieller", None)) > 100


def test_the_log_ratio_has_degrees_of_freedom_of_its_own():
    control, treatment = Estimate(2.0, 0.04, 12), Estimate(3.0, 0.01, 30)
    c, t = 0.04 / 2**2, 0.01 / 3**2
    df = (c + t) ** 2 / (c**2 / 11 + t**2 / 29)
    half_width = stats.t.ppf(0.975, df) * math.sqrt(c + t)
    effect = compare(control, treatment, degrees_of_freedom="Welch")
    assert effect.relative_interval == "log ratio"
    assert effect.relative_ci_low == pytest.approx(1.5 * math.exp(-half_width) - 1, rel=1e-9)
    assert effect.relative_ci_high == pytest.approx(1.5 * math.exp(half_width) - 1, rel=1e-9)
    assert effect.degrees_of_freedom != pytest.approx(df, rel=0.01)


@repeatable
@given(two_arms())
def test_verdicts_agree_on_users_too(arms):
    effect = delta_method(*arms)
    assert excludes_zero(effect.ci_low, effect.ci_high) == (effect.p_value < ALPHA)
    if effect.relative_interval:
        relative = excludes_zero(effect.relative_ci_low, effect.relative_ci_high)
        assert relative == (effect.p_value < ALPHA)


def test_the_interval_of_fieller_is_where_the_test_of_a_ratio_stops_rejecting():
    control, treatment = Estimate(-2.0, 0.09, 300), Estimate(-1.2, 0.04, 300)
    effect = compare(control, treatment)
    assert effect.relative_interval == "Fieller"
    # Less negative is more: the sign of the relative difference is the difference's.
    assert effect.relative_difference == pytest.approx(0.4)
    for bound in (effect.relative_ci_low, effect.relative_ci_high):
        ratio = 1 - bound
        z = (treatment.value - ratio * control.value) / math.sqrt(0.04 + ratio**2 * 0.09)
        assert abs(z) == pytest.approx(critical_value(ALPHA), rel=1e-9)


@pytest.mark.parametrize("control", [0.0, -0.0])
def test_a_control_of_zero_has_no_relative_effect(control):
    effect = compare(Estimate(control, 0.01, 300), Estimate(1.0, 0.01, 300))
    assert effect.status == "ok"
    assert effect.p_value < ALPHA
    assert math.isnan(effect.relative_difference)
    assert effect.relative_interval is None


def test_a_control_that_may_be_zero_has_no_interval_of_fieller():
    effect = compare(Estimate(-0.1, 0.01, 300), Estimate(1.0, 0.01, 300))
    assert effect.relative_difference == pytest.approx(11)
    assert effect.relative_interval is None


def test_a_control_next_to_zero_has_no_infinite_relative_effect():
    for control in (1e-300, 5e-324):
        effect = compare(Estimate(control, 0.01, 300), Estimate(1.0, 0.01, 300))
        assert effect.relative_interval is None
        assert math.isnan(effect.relative_ci_high)
        assert not math.isinf(effect.relative_difference)


# Degenerate experiments

NOBODY = Arm([], [], [], [])
ONE_USER = Arm([2.0], [3.0], [1.0], [3.0])
WITHOUT_SESSIONS = Arm(np.zeros(5), np.zeros(5), np.zeros(5), np.zeros(5))
ONE_ACTIVE = Arm([2.0, 0, 0], [3.0, 0, 0], [2.0, 0, 0], [3.0, 0, 0])
ALL_ZERO = Arm(np.zeros(5), np.arange(1.0, 6), np.zeros(5), np.arange(1.0, 6))
ALIKE = Arm(np.arange(1, 8) * 0.1, np.arange(1.0, 8), np.arange(1, 8) * 0.1, np.arange(1.0, 8))
# Shares of 0.3 that rounding makes a little unlike.
NEARLY_ALIKE = Arm(np.arange(1, 32) * 0.3, np.arange(1.0, 32))
ORDINARY = random_arm(3, 60)
HEAVY = Arm(np.r_[np.ones(50), 30], np.r_[np.full(50, 2.0), 100], np.zeros(51), np.ones(51))
NEGATIVE_COST = Arm(np.random.default_rng(1).normal(-3, 1, 40), np.arange(1.0, 41))
DEGENERATE = {
    "no control users": (NOBODY, ORDINARY, "no_control_users"),
    "no treatment users": (ORDINARY, NOBODY, "no_treatment_users"),
    "nobody": (NOBODY, NOBODY, "no_control_users"),
    "one user": (ONE_USER, ORDINARY, "too_few_users"),
    "one user in each arm": (ONE_USER, ONE_USER, "too_few_users"),
    "one user with sessions": (ORDINARY, ONE_ACTIVE, "too_few_users"),
    "nobody with sessions": (WITHOUT_SESSIONS, ORDINARY, "no_denominator"),
    "no sessions at all": (WITHOUT_SESSIONS, WITHOUT_SESSIONS, "no_denominator"),
    "all values zero": (ALL_ZERO, ALL_ZERO, "no_variance"),
    "all users alike": (ALIKE, scaled(ALIKE, numerator=2), "no_variance"),
    "all users alike but for rounding": (NEARLY_ALIKE, NEARLY_ALIKE, "no_variance"),
    "one arm zero": (ALL_ZERO, ORDINARY, "ok"),
    "one arm alike": (ORDINARY, ALIKE, "ok"),
    "a user with half of all sessions": (HEAVY, ORDINARY, "ok"),
    "negative costs": (NEGATIVE_COST, scaled(NEGATIVE_COST, numerator=1.5), "ok"),
    "two users in each arm": (Arm([1.0, 0], [1.0, 1]), Arm([1.0, 1], [1.0, 2]), "ok"),
}
ESTIMATORS = {
    "delta method": delta_method,
    "cluster-robust": lambda c, t: cluster_robust(c, t, c.denominator.sum() + t.denominator.sum()),
    "HC3": hc3,
    "percentile bootstrap": lambda c, t: user_bootstrap(c, t, 200, 1, "stream")[0],
    "BCa bootstrap": lambda c, t: user_bootstrap(c, t, 200, 1, "stream")[1],
    "confidence sequence": lambda c, t: confidence_sequence(
        delta_method(c, t), c.users + t.users, 2000
    ),
}


@pytest.mark.parametrize("case", DEGENERATE)
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_degenerate_users_give_a_status(estimator, case):
    control, treatment, status = DEGENERATE[case]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        effect = ESTIMATORS[estimator](control, treatment)
    assert effect.status == status
    computed = (effect.ci_low, effect.ci_high)
    assert all(math.isfinite(bound) == (status == "ok") for bound in computed)
    for arm, ratio in ((control, effect.control), (treatment, effect.treatment)):
        assert ratio == pytest.approx(arm.ratio, nan_ok=True)


@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_users_give_no_exception_elsewhere(case):
    control, treatment, status = DEGENERATE[case]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        adjusted = cuped(control, treatment)
        tested = noninferiority(control, treatment, 0.02, "higher")
    assert status == "ok" or adjusted.effect.status == status
    assert math.isnan(tested.p_value) == (status != "ok")
    assert status == "ok" or not tested.is_noninferior


@pytest.mark.parametrize(
    "columns",
    [
        ([1.0, math.nan], [1.0, 1.0]),
        ([1.0, 1.0], [1.0, math.inf]),
        ([1.0, 1.0], [1.0, -1.0]),
        ([1.0, 1.0], [1.0]),
        ([[1.0, 1.0]], [[1.0, 1.0]]),
        ([1.0, 1.0], [1.0, 1.0], [1.0, -math.inf], [1.0, 1.0]),
        ([1.0, 1.0], [1.0, 1.0], [1.0], [1.0]),
    ],
)
def test_malformed_users_are_refused(columns):
    with pytest.raises(ValueError, match="of an arm"):
        Arm(*columns)


@pytest.mark.parametrize("alpha", [0, 1, -0.1, math.nan])
def test_an_impossible_alpha_is_refused(alpha):
    with pytest.raises(ValueError, match="alpha"):
        delta_method(ORDINARY, ORDINARY, alpha)


# Naive methods


def test_the_naive_t_test_is_that_of_scipy():
    random = np.random.default_rng(3)
    control, treatment = random.gamma(2, 6, 400).round(1), random.gamma(2, 7, 300).round(1)
    effect = welch_t(binned(control), binned(treatment))
    expected = stats.ttest_ind(treatment, control, equal_var=False)
    assert effect.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert effect.ci_low == pytest.approx(expected.confidence_interval().low, rel=1e-9)
    assert effect.ci_high == pytest.approx(expected.confidence_interval().high, rel=1e-9)


def test_the_naive_z_test_is_that_of_statsmodels():
    control, treatment = (np.repeat([0.0, 1.0], counts) for counts in ((300, 150), (250, 170)))
    effect = two_proportion_z(binned(control), binned(treatment))
    z, p_value = proportions_ztest([170, 150], [420, 450])
    low, high = confint_proportions_2indep(170, 420, 150, 450, method="wald")
    assert effect.p_value == pytest.approx(p_value, rel=1e-9)
    assert effect.standard_error == pytest.approx(effect.difference / z, rel=1e-9)
    assert (effect.ci_low, effect.ci_high) == pytest.approx((low, high), rel=1e-9)


def test_a_test_of_shares_wants_shares():
    energy, share = binned(np.array([0.0, 1.0, 7.5])), binned(np.array([0.0, 1.0]))
    assert two_proportion_z(energy, share).status == "not_a_share"
    bin_of_shares = SessionValues([1.0], [2], [2.5])
    assert two_proportion_z(share, bin_of_shares).status == "not_a_share"


NAIVE = {
    "z": two_proportion_z,
    "t": welch_t,
    "bootstrap": lambda c, t: session_bootstrap(c, t, 200, 1, "stream"),
}


@pytest.mark.parametrize("method", NAIVE)
@pytest.mark.parametrize(
    ("control", "treatment", "status"),
    [
        ([], [0, 1], "no_control_users"),
        ([0, 1], [], "no_treatment_users"),
        ([1, 1, 1], [1, 1], "no_variance"),
        ([0, 0, 0], [1, 1], "no_variance"),
        ([0, 0, 1], [1, 1, 1], "ok"),
    ],
)
def test_degenerate_sessions_give_a_status(method, control, treatment, status):
    arms = (binned(np.array(values, dtype=float)) for values in (control, treatment))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert NAIVE[method](*arms).status == status


def test_one_session_in_an_arm_is_too_few_for_a_t_test():
    one, many = binned(np.array([12.5])), binned(np.array([3.0, 7.1, 9.9]))
    for method in ("t", "bootstrap"):
        assert NAIVE[method](one, many).status == "too_few_users"


def test_sessions_that_are_alike_but_for_rounding_have_no_variance():
    control, treatment = binned(np.full(49, 7.7)), binned(np.full(3, 12.3))
    for method in ("t", "bootstrap"):
        assert NAIVE[method](control, treatment).status == "no_variance"


@pytest.mark.parametrize(
    "columns", [([1.0], [1, 2], [1.0]), ([math.nan], [1], [1.0]), ([1.0], [-1], [1.0])]
)
def test_malformed_bins_are_refused(columns):
    with pytest.raises(ValueError, match="bin"):
        SessionValues(*columns)


# Regression


@pytest.mark.parametrize("seed", range(3))
def test_the_clustered_regression_is_that_of_statsmodels_on_sessions(seed):
    arms = random_arm(seed, 40), random_arm(seed + 20, 55, shift=0.2)
    values, is_treatment, users = sessions_of(*arms)
    expected = sm.OLS(values, sm.add_constant(is_treatment)).fit(
        cov_type="cluster", cov_kwds={"groups": users}, use_t=True
    )
    effect = cluster_robust(*arms, sessions=len(values))
    assert effect.difference == pytest.approx(expected.params[1], rel=1e-9)
    assert effect.standard_error == pytest.approx(expected.bse[1], rel=1e-9)
    assert effect.p_value == pytest.approx(expected.pvalues[1], rel=1e-9)
    assert (effect.ci_low, effect.ci_high) == pytest.approx(expected.conf_int()[1], rel=1e-9)
    assert effect.degrees_of_freedom == users.max()


def test_hc3_takes_t_below_100_users():
    small, large = random_arm(1, 99), random_arm(2, 100)
    active = np.count_nonzero(small.denominator) + np.count_nonzero(large.denominator)
    assert hc3(small, large).degrees_of_freedom == active - 2
    assert hc3(large, large).degrees_of_freedom is None
    assert hc3(small, large).standard_error > delta_method(small, large).standard_error


# CUPED


def test_a_pre_period_that_tells_everything_leaves_no_variance():
    control, treatment = (
        Arm(a.numerator, a.denominator, a.numerator, a.denominator)
        for a in (random_arm(1), random_arm(2))
    )
    found = cuped(control, treatment)
    assert found.theta == pytest.approx(1)
    assert found.effect.status == "no_variance"
    assert found.variance_reduction == pytest.approx(1)


def test_a_pre_period_in_another_unit_tells_everything_but_for_rounding():
    arms = [
        replace(arm, pre_numerator=0.3 * arm.numerator, pre_denominator=arm.denominator)
        for arm in (random_arm(1), random_arm(2))
    ]
    found = cuped(*arms)
    assert found.theta == pytest.approx(1 / 0.3)
    assert found.effect.status == "no_variance"


def test_a_pre_period_that_tells_nothing_changes_nothing():
    arms = [replace(random_arm(seed), pre_numerator=np.zeros(200)) for seed in (1, 2)]
    found = cuped(*arms)
    assert found.theta == 0
    assert found.variance_reduction == pytest.approx(0, abs=1e-12)
    assert_same(found.effect, delta_method(*arms))


@pytest.mark.parametrize("missing", ["pre_numerator", "pre_denominator"])
def test_without_a_pre_period_there_is_no_cuped(missing):
    arms = random_arm(1), replace(random_arm(2), **{missing: None})
    assert cuped(*arms).effect.status == "no_pre_period"
    nothing_before = replace(random_arm(2), pre_denominator=np.zeros(200))
    assert cuped(random_arm(1), nothing_before).effect.status == "no_pre_period"


@pytest.mark.parametrize(("known", "status"), [(29, "no_pre_period"), (30, "ok")])
def test_a_handful_of_users_is_no_pre_period(known, status):
    random = np.random.default_rng(3)
    control, treatment = (random_arm(seed) for seed in (1, 2))
    before = np.where(np.arange(200) < known, 1.0, np.nan)
    sparse = Arm(
        control.numerator,
        control.denominator,
        before * random.random(200),
        before,
    )
    full = Arm(treatment.numerator, treatment.denominator, random.random(200), np.ones(200))
    assert cuped(sparse, full).effect.status == status
    assert cuped(full, sparse).effect.status == status


def test_users_without_a_pre_period_count_as_zero():
    known = random_arm(1)
    is_new = np.arange(known.users) % 10 == 0
    as_nan = replace(
        known,
        pre_numerator=np.where(is_new, math.nan, known.pre_numerator),
        pre_denominator=np.where(is_new, math.nan, known.pre_denominator),
    )
    as_zero = replace(
        known,
        pre_numerator=np.where(is_new, 0, known.pre_numerator),
        pre_denominator=np.where(is_new, 0, known.pre_denominator),
    )
    assert cuped(as_nan, random_arm(2)) == cuped(as_zero, random_arm(2))


def test_cuped_is_right_on_average_and_surer():
    pairs = [(random_arm(seed, 300), random_arm(seed + 1000, 300, shift=0.1)) for seed in range(60)]
    plain = [delta_method(*arms).difference for arms in pairs]
    adjusted = [cuped(*arms) for arms in pairs]
    differences = [found.effect.difference for found in adjusted]
    assert np.mean(differences) == pytest.approx(np.mean(plain), abs=0.01)
    assert np.std(differences) < np.std(plain)
    assert np.mean([found.variance_reduction for found in adjusted]) > 0.1


# Peeking


def test_twenty_looks_raise_fewer_than_five_percent_false_alarms():
    random = np.random.default_rng(2024)
    experiments, looks, planned = 400, 20, 2000
    alarms = fixed_alarms = 0
    for _ in range(experiments):
        sessions = random.poisson(random.gamma(2, 4, (2, planned // 2)))
        shares = random.binomial(sessions, random.beta(2, 3, (2, planned // 2)))
        has_alarm = has_fixed_alarm = False
        for users in np.linspace(planned / 2 / looks, planned / 2, looks).astype(int):
            arms = (Arm(shares[arm, :users], sessions[arm, :users]) for arm in (0, 1))
            effect = delta_method(*arms)
            sequence = confidence_sequence(effect, 2 * users, planned)
            assert excludes_zero(sequence.ci_low, sequence.ci_high) == (sequence.p_value < ALPHA)
            has_alarm |= sequence.p_value < ALPHA
            has_fixed_alarm |= effect.p_value < ALPHA
        alarms += has_alarm
        fixed_alarms += has_fixed_alarm
    assert alarms / experiments < 0.05
    assert fixed_alarms / experiments > 0.15


def test_a_sequence_sees_a_large_effect_and_is_wider_than_a_fixed_interval():
    effect = delta_method(random_arm(1, 500), random_arm(2, 500, shift=0.3))
    sequence = confidence_sequence(effect, 1000, 1000)
    assert sequence.p_value < ALPHA
    assert sequence.p_value > effect.p_value
    assert sequence.ci_low < effect.ci_low < effect.ci_high < sequence.ci_high
    assert sequence.relative_interval is None


def test_a_sequence_is_that_of_its_formula():
    effect = compare(Estimate(1.0, 0.02, 300), Estimate(1.5, 0.03, 400))
    n, alpha, planned = 700, 0.1, 3000
    rho = math.sqrt((-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / planned)
    boundary = math.sqrt(
        2 * (n * rho**2 + 1) / (n * rho) ** 2 * math.log(math.sqrt(n * rho**2 + 1) / alpha)
    )
    sequence = confidence_sequence(effect, n, planned, alpha)
    half_width = effect.standard_error * math.sqrt(n) * boundary
    assert sequence.ci_low == pytest.approx(effect.difference - half_width, rel=1e-12)
    assert sequence.ci_high == pytest.approx(effect.difference + half_width, rel=1e-12)


def test_an_always_valid_p_value_is_at_most_1():
    effect = compare(Estimate(1.0, 0.02, 300), Estimate(1.0, 0.02, 300))
    assert confidence_sequence(effect, 600, 1000).p_value == 1


def test_a_sequence_without_a_plan_is_refused():
    with pytest.raises(ValueError, match="planned"):
        confidence_sequence(delta_method(ORDINARY, ORDINARY), 120, 0)


# Decisions


def test_metrics_that_were_not_tested_do_not_count_among_several():
    p_values = [0.01, math.nan, 0.04, 0.03]
    assert holm(p_values) == pytest.approx([0.03, math.nan, 0.06, 0.06], nan_ok=True)
    assert benjamini_hochberg(p_values) == pytest.approx([0.03, math.nan, 0.04, 0.04], nan_ok=True)
    assert np.isnan(holm([math.nan, math.nan])).all()
    assert len(holm([])) == len(benjamini_hochberg([])) == 0


def test_adjusting_leaves_the_p_values_as_they_were():
    p_values = np.array([0.01, 0.04])
    assert (holm(p_values) == [0.02, 0.04]).all()
    assert (p_values == [0.01, 0.04]).all()


def test_the_detectable_effect_is_found_with_the_power_asked_for():
    detectable = minimum_detectable_effect(0.7, alpha=0.05, power=0.8)
    found = stats.norm.sf(critical_value(0.05) - detectable / 0.7)
    assert found == pytest.approx(0.8, rel=1e-9)


def test_half_the_effect_takes_four_times_the_users():
    assert users_needed(1000, 0.04, 0.02) == 4000
    assert users_needed(1000, 0.04, -0.02) == 4000
    assert users_needed(10, 1.0, 3.0) == 2
    assert math.isnan(users_needed(1000, 0.04, 0.0))
    assert math.isnan(users_needed(1000, math.nan, 0.02))


def test_sessions_are_worth_less_the_more_users_repeat():
    assert design_effect(0.03, 0.015) == pytest.approx(4)
    assert effective_sessions(4000, 4.0) == 1000
    assert math.isnan(design_effect(0.03, 0.0))
    assert math.isnan(design_effect(math.nan, 0.1))
    assert math.isnan(effective_sessions(4000, math.nan))


def test_more_weeks_shrink_only_what_varies_between_sessions():
    assert standard_error_after(0.05, 0.03, 2, 2) == pytest.approx(0.05)
    assert standard_error_after(0.05, 0.03, 2, 1e12) == pytest.approx(0.04)
    assert standard_error_after(0.05, 0.03, 2, 4) == pytest.approx(math.sqrt(0.05**2 - 0.03**2 / 2))
    assert standard_error_after(0.03, 0.05, 2, 8) == pytest.approx(0.015)
    assert math.isnan(standard_error_after(math.nan, 0.03, 2, 4))
    with pytest.raises(ValueError, match="weeks"):
        standard_error_after(0.05, 0.03, 2, 0)


def test_weeks_of_the_same_users_shrink_the_error_as_forecast():
    random = np.random.default_rng(8)
    share = random.beta(2, 3, (2, 4000))

    def observed(weeks: int) -> tuple[float, float]:
        sessions = random.poisson(3.0 * weeks, share.shape)
        ones = random.binomial(sessions, share)
        effect = delta_method(*(Arm(ones[arm], sessions[arm]) for arm in (0, 1)))
        naive = welch_t(
            *(
                SessionValues(
                    [0.0, 1.0],
                    [sessions[arm].sum() - ones[arm].sum(), ones[arm].sum()],
                    [0.0, ones[arm].sum()],
                )
                for arm in (0, 1)
            )
        )
        return effect.standard_error, naive.standard_error

    forecast = standard_error_after(*observed(2), weeks_observed=2, weeks=8)
    assert forecast == pytest.approx(observed(8)[0], rel=0.05)


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_noninferiority_forgives_the_margin_and_no_more(better):
    random = np.random.default_rng(4)
    values = random.normal(100, 2, 400)
    control = Arm(values, np.ones(400))
    sign = 1 if better == "higher" else -1
    p_values = [
        noninferiority(control, Arm(values * (1 - sign * loss), np.ones(400)), 0.02, better).p_value
        for loss in (0.04, 0.02, 0.0, -0.02)
    ]
    assert p_values == sorted(p_values, reverse=True)
    assert p_values[0] > 0.999
    assert p_values[1] == pytest.approx(0.5, abs=1e-6)
    assert p_values[2] < 0.001


@pytest.mark.parametrize(("better", "factor"), [("higher", 0.9), ("lower", 1.1)])
def test_noninferiority_is_that_of_its_formula(better, factor):
    control, treatment = random_arm(1, 300), random_arm(2, 300)
    error = math.sqrt(treatment.ratio_variance + factor**2 * control.ratio_variance)
    z = (treatment.ratio - factor * control.ratio) / error
    p_value = stats.norm.sf(z) if better == "higher" else stats.norm.cdf(z)
    tested = noninferiority(control, treatment, 0.1, better)
    assert tested.p_value == pytest.approx(p_value, rel=1e-9)
    for alpha, is_noninferior in ((p_value * 1.01, True), (p_value * 0.99, False)):
        tested = noninferiority(control, treatment, 0.1, better, alpha)
        assert tested.is_noninferior == is_noninferior


def test_noninferiority_without_margin_is_the_one_sided_test():
    arms = random_arm(1, 300), random_arm(2, 300, shift=0.02)
    effect = delta_method(*arms)
    is_better = effect.difference > 0
    expected = effect.p_value / 2 if is_better else 1 - effect.p_value / 2
    higher = noninferiority(*arms, 0, "higher")
    lower = noninferiority(*arms, 0, "lower")
    assert higher.p_value == pytest.approx(expected)
    assert lower.p_value == pytest.approx(1 - expected)
    assert higher.is_noninferior == (expected < ALPHA)


def test_the_margin_of_a_negative_cost_forgives_too():
    cost = Arm(np.random.default_rng(1).normal(-3, 0.1, 400), np.ones(400))
    assert noninferiority(cost, cost, 0.02, "lower").p_value < 0.5


def test_wrong_arguments_of_a_decision_are_refused():
    with pytest.raises(ValueError, match="margin"):
        noninferiority(ORDINARY, ORDINARY, -0.02, "higher")
    with pytest.raises(ValueError, match="better"):
        noninferiority(ORDINARY, ORDINARY, 0.02, "more")
    with pytest.raises(ValueError, match="better"):
        probability_to_beat(0.1, 0.1, "more")


@repeatable
@given(st.floats(-5, 5), st.floats(0.01, 5))
def test_probability_and_loss_mirror_each_other(difference, standard_error):
    higher = probability_to_beat(difference, standard_error, "higher")
    lower = probability_to_beat(difference, standard_error, "lower")
    assert higher + lower == pytest.approx(1)
    gain = expected_loss(difference, standard_error, "lower")
    loss = expected_loss(difference, standard_error, "higher")
    # What is lost by shipping less what is lost by not shipping is the difference itself.
    assert gain - loss == pytest.approx(difference, abs=1e-9)
    assert min(gain, loss) >= 0


def test_without_a_standard_error_nothing_is_said():
    for standard_error in (0.0, math.nan):
        assert math.isnan(probability_to_beat(0.1, standard_error, "higher"))
        assert math.isnan(expected_loss(0.1, standard_error, "higher"))


def test_segments_are_homogeneous_until_they_differ():
    alike = cochran_q([0.1, 0.1, 0.1], [0.05, 0.02, 0.1])
    assert alike == (pytest.approx(0, abs=1e-12), 2, pytest.approx(1))
    q, degrees_of_freedom, p_value = cochran_q([0.0, 1.0, math.nan, 5.0], [0.1, 0.1, 0.1, 0.0])
    assert (q, degrees_of_freedom) == (pytest.approx(50), 1)
    assert p_value == pytest.approx(stats.chi2.sf(50, 1))
    assert cochran_q([0.1], [0.1])[1] == 0
    assert math.isnan(cochran_q([], [])[2])


def test_the_sample_ratio_alarms_on_lost_users():
    assert sample_ratio([1000, 1000]) == 1
    assert sample_ratio([1000, 800]) < 0.001
    assert sample_ratio([900, 100], [0.9, 0.1]) == 1
    assert sample_ratio([1000, 0]) < 0.001
    assert math.isnan(sample_ratio([10]))
    assert math.isnan(sample_ratio([0, 0]))
    with pytest.raises(ValueError, match="share"):
        sample_ratio([10, 10], [1.0, 0.0])
