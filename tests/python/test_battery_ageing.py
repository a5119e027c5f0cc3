"""The trend of battery capacity over age: against brute force, in simulations, and at the edges."""

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ev_charging.frames import NUMBER
from ev_charging.mobility.ageing import AGEING, battery_ageing
from ev_charging.mobility.trend import ONE_X, TIED, TOO_FEW, theil_sen

LIMITS = pd.DataFrame({"max_vehicles": [2000], "alpha": [0.05]})
VEHICLE_COLUMNS = ["vehicle_key", "battery_chemistry", "age_years", "sessions", "capacity_ratio"]


def brute_force(x, y):
    """Median of the slopes of all pairs of points that differ in x."""
    return float(
        np.median(
            [
                (y[j] - y[i]) / (x[j] - x[i])
                for i, j in combinations(range(len(x)), 2)
                if x[i] != x[j]
            ]
        )
    )


def sen_interval(x, y, alpha):
    """Interval of Sen (1968) without ties: order statistics of the slopes."""
    points = len(x)
    slopes = sorted((y[j] - y[i]) / (x[j] - x[i]) for i, j in combinations(range(points), 2))
    error = math.sqrt(points * (points - 1) * (2 * points + 5) / 18)
    width = stats.norm.ppf(1 - alpha / 2) * error
    low = round((len(slopes) - width) / 2) - 1
    return slopes[low], slopes[round((len(slopes) + width) / 2)]


def fleet(vehicles=200, change=-0.02, loss=1.1, scatter=0.02, chemistry="NMC", seed=0):
    """Vehicles of up to 9 years that lose a share of their capacity each year."""
    random = np.random.default_rng(seed)
    age_years = random.uniform(0, 9, vehicles)
    ratio = loss * (1 + change) ** age_years * np.exp(scatter * random.standard_normal(vehicles))
    return pd.DataFrame(
        {
            "vehicle_key": [f"{chemistry}{number:05}" for number in random.permutation(vehicles)],
            "battery_chemistry": chemistry,
            "age_years": age_years,
            "sessions": 5,
            "capacity_ratio": ratio,
        }
    )


def only_row(vehicles, limits=LIMITS):
    """The trend of vehicles of one chemistry."""
    found = battery_ageing(vehicles, limits)
    assert len(found) == 1
    return found.iloc[0]


# --- the line -------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 40).map(lambda age: age / 4),
            st.floats(-1, 1, allow_subnormal=False).map(lambda value: round(value, 6)),
        ),
        min_size=10,
        max_size=40,
    )
)
def test_the_slope_is_the_median_of_the_slopes_of_all_pairs(points):
    x, y = np.array(points).T
    trend = theil_sen(x, y)
    if np.ptp(x) == 0:
        assert trend.status == ONE_X
        return
    if trend.status == TIED:
        assert len(np.unique(x)) < len(x) or len(np.unique(y)) < len(y)
        return
    assert trend.slope == pytest.approx(brute_force(x, y), abs=1e-12)
    assert trend.intercept == pytest.approx(np.median(y - trend.slope * x), abs=1e-12)


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_the_interval_is_that_of_sen(alpha):
    random = np.random.default_rng(3)
    x, y = random.random(60), random.random(60)
    trend = theil_sen(x, y, alpha)
    assert (trend.ci_low, trend.ci_high) == pytest.approx(sen_interval(x, y, alpha))


@pytest.mark.parametrize("noise", ["normal", "heavy tails", "skewed"])
@pytest.mark.parametrize("points", [12, 60])
def test_nineteen_of_twenty_intervals_hold_the_true_slope(points, noise):
    random = np.random.default_rng(points)
    draw = {
        "normal": random.standard_normal,
        "heavy tails": lambda size: random.standard_t(2, size),
        "skewed": random.standard_exponential,
    }[noise]
    repeats, slope = 1_000, -0.02
    hits = 0
    for _ in range(repeats):
        x = random.uniform(0, 9, points)
        trend = theil_sen(x, 0.1 + slope * x + 0.02 * draw(points))
        hits += trend.ci_low <= slope <= trend.ci_high
    # four standard errors of such a count
    assert hits / repeats == pytest.approx(0.95, abs=0.028)


def test_a_fifth_of_wild_values_hardly_moves_the_slope():
    """Least squares are carried away by them."""
    vehicles = fleet(400, change=-0.02)
    x, y = vehicles["age_years"].to_numpy(), np.log(vehicles["capacity_ratio"].to_numpy())
    is_wild = x > np.quantile(x, 0.8)
    wild = np.where(is_wild, y + 0.5, y)
    clean, moved = theil_sen(x, y), theil_sen(x, wild)
    by_least_squares = stats.linregress(x, wild).slope
    assert clean.slope == pytest.approx(math.log(0.98), abs=0.001)
    assert by_least_squares > 0.02
    # all on one side and at one end is the worst that a fifth can do
    assert moved.slope < 0
    scattered = np.where(np.arange(400) % 5 == 0, y - 1.0, y)
    assert theil_sen(x, scattered).slope == pytest.approx(clean.slope, abs=0.003)


def test_the_intercept_is_robust_too():
    x = np.arange(50.0)
    y = 1 - 0.01 * x
    y[::5] += 100
    trend = theil_sen(x, y)
    assert trend.slope == pytest.approx(-0.01)
    assert trend.intercept == pytest.approx(1)


@pytest.mark.parametrize("points", [0, 1, 9])
def test_few_points_have_no_trend(points):
    trend = theil_sen(np.arange(float(points)), np.zeros(points))
    assert trend.status == TOO_FEW
    assert math.isnan(trend.slope)


def test_points_without_scatter_have_an_interval_of_their_slope():
    x = np.arange(20.0)
    trend = theil_sen(x, 3 - 2 * x)
    assert (trend.slope, trend.ci_low, trend.ci_high) == (-2, -2, -2)


def test_points_that_are_all_alike_but_in_x_have_no_trend():
    assert theil_sen(np.arange(20.0) // 5, np.zeros(20)).status == TIED


@pytest.mark.parametrize("alpha", [0, 1, -0.1, 2])
def test_an_impossible_alpha_is_refused(alpha):
    with pytest.raises(ValueError, match="alpha"):
        theil_sen(np.arange(20.0), np.arange(20.0), alpha)


def test_an_x_without_its_y_is_refused():
    with pytest.raises(ValueError, match="an x for every y"):
        theil_sen(np.arange(20.0), np.arange(19.0))


# --- the mart -------------------------------------------------------------------------------------


def test_the_yearly_change_of_a_made_up_fleet_is_found():
    row = only_row(fleet(change=-0.02, loss=1.1))
    assert row["status"] == "ok"
    assert row["ci_low_pct"] < -2 < row["ci_high_pct"]
    assert row["annual_change_pct"] == pytest.approx(-2, abs=0.15)
    assert row["ratio_when_new"] == pytest.approx(1.1, abs=0.01)


@pytest.mark.parametrize("loss", [0.9, 1.0, 1.3])
def test_a_loss_that_is_alike_for_all_moves_the_line_and_not_its_slope(loss):
    row, other = only_row(fleet(loss=loss)), only_row(fleet(loss=1.1))
    for name in ("annual_change_pct", "ci_low_pct", "ci_high_pct"):
        assert row[name] == pytest.approx(other[name])
    assert row["ratio_when_new"] / other["ratio_when_new"] == pytest.approx(loss / 1.1)


def test_chemistries_are_fitted_apart_and_stand_in_order():
    nmc, lfp = fleet(change=-0.02), fleet(change=-0.01, chemistry="LFP", seed=1)
    found = battery_ageing(pd.concat([nmc, lfp]).sample(frac=1, random_state=1), LIMITS)
    assert list(found["battery_chemistry"]) == ["LFP", "NMC"]
    assert found["annual_change_pct"].tolist() == pytest.approx([-1, -2], abs=0.15)
    pd.testing.assert_series_equal(found.iloc[1], only_row(nmc), check_names=False)


def test_of_many_vehicles_the_first_by_key_count_whatever_their_order():
    vehicles = fleet(300)
    limits = LIMITS.assign(max_vehicles=100)
    row = only_row(vehicles, limits)
    assert (row["vehicles"], row["vehicles_used"], row["sessions"]) == (300, 100, 500)
    shuffled = vehicles.sample(frac=1, random_state=2)
    pd.testing.assert_series_equal(only_row(shuffled, limits), row)
    first = vehicles.sort_values("vehicle_key").head(100)
    assert row["annual_change_pct"] == only_row(first)["annual_change_pct"]


def test_a_fleet_without_vehicles_gives_no_rows_of_the_same_types():
    empty = battery_ageing(pd.DataFrame(columns=VEHICLE_COLUMNS), LIMITS)
    assert empty.empty
    assert empty.dtypes.astype(str).to_dict() == AGEING


@pytest.mark.parametrize("vehicles", [1, 2, 9])
def test_a_few_vehicles_have_a_row_and_no_trend(vehicles):
    row = only_row(fleet(vehicles))
    assert (row["status"], row["vehicles"]) == ("too_few_vehicles", vehicles)
    for name in ("annual_change_pct", "ci_low_pct", "ci_high_pct", "ratio_when_new"):
        assert pd.isna(row[name])
    assert row["youngest_years"] <= row["median_age_years"] <= row["oldest_years"]


def test_vehicles_of_one_age_have_no_trend():
    row = only_row(fleet(50).assign(age_years=3.0))
    assert row["status"] == "one_age"
    assert pd.isna(row["annual_change_pct"])


def test_no_number_is_infinite():
    found = battery_ageing(fleet(10, scatter=0), LIMITS)
    numbers = [name for name, kind in AGEING.items() if kind == NUMBER]
    assert np.isfinite(found[numbers].to_numpy(float)).all()
