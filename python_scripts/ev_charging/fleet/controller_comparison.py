"""What a controller changes for the drivers of a simulated fleet and for the grid."""

import math
from dataclasses import dataclass

import pandas as pd

from ev_charging.experiment.arm import Arm
from ev_charging.fleet.paired import paired_difference
from ev_charging.frames import COUNT, NUMBER, TEXT, typed_frame

COMPARISON = {
    "run_id": TEXT,
    "reference_run_id": TEXT,
    "metric": TEXT,
    "unit": TEXT,
    "users": COUNT,
    "users_left_out": COUNT,
    "value": NUMBER,
    "reference_value": NUMBER,
    "difference": NUMBER,
    "ci_low": NUMBER,
    "ci_high": NUMBER,
    "p_value": NUMBER,
    "relative_difference": NUMBER,
    "status": TEXT,
}

# A figure of the whole fleet is one number per run.
ONE_FIGURE = "one_figure"

_HALF_HOURS_PER_WEEK = 7 * 48


@dataclass(frozen=True)
class Metric:
    """A figure per run: sum(numerator) / sum(denominator) over its users.

    Attributes:
        name: of the metric.
        unit: of the figure.
        numerator: column of the users' totals.
        denominator: column, or None for a mean over users.
        is_per_week: whether the total is scaled from the half-hours of known energy to a week.
    """

    name: str
    unit: str
    numerator: str
    denominator: str | None = None
    is_per_week: bool = False


METRICS = (
    Metric("energy_kwh", "kWh per user and week", "energy_kwh", is_per_week=True),
    Metric("exported_kwh", "kWh per user and week", "exported_kwh", is_per_week=True),
    Metric("cost_eur", "EUR per user and week", "cost_eur", is_per_week=True),
    Metric("g_co2", "g CO2 per user and week", "g_co2", is_per_week=True),
    Metric("below_target_share", "share of stays", "stays_below_target", "ended_stays"),
    Metric("soc_at_plug_out", "% of the battery", "soc_end_pct_sum", "ended_stays"),
    Metric("own_peak_kw", "kW per user", "peak_kw"),
)
FLEET_PEAK = "fleet_peak_kw"


def controller_comparison(
    comparisons: pd.DataFrame, users: pd.DataFrame, peaks: pd.DataFrame
) -> pd.DataFrame:
    """Return one row per run and metric: the run against the reference run.

    Args:
        comparisons: rows of int_simulator__comparisons.
        users: rows of int_simulator__compared_users, one per run, user and side.
        peaks: rows of int_simulator__fleet_peaks, one per run and side.

    Returns:
        A frame with the columns COMPARISON, ordered by run_id and metric. Users who aren't the
        same driver in both runs, or for whom the metric isn't known in one, are left out and
        counted.
    """
    rows = []
    for comparison in comparisons.sort_values("run_id").itertuples():
        key = {"run_id": comparison.run_id, "reference_run_id": comparison.reference_run_id}
        sides = users[users["run_id"] == comparison.run_id].sort_values("user_id")
        peak = peaks[peaks["run_id"] == comparison.run_id].set_index("is_reference")["peak_kw"]
        found = [_user_row(sides, metric, comparison.alpha) for metric in METRICS]
        found.append(_peak_row(sides, peak))
        rows += [key | row for row in sorted(found, key=lambda row: row["metric"])]
    return typed_frame(COMPARISON, rows)


def _user_row(sides: pd.DataFrame, metric: Metric, alpha: float) -> dict:
    reference, run = _arms(sides, metric)
    effect = paired_difference(reference, run, alpha)
    return {
        "metric": metric.name,
        "unit": metric.unit,
        "users": run.users,
        "users_left_out": sides["user_id"].nunique() - run.users,
        "value": effect.treatment,
        "reference_value": effect.control,
        "difference": effect.difference,
        "ci_low": effect.ci_low,
        "ci_high": effect.ci_high,
        "p_value": effect.p_value,
        "relative_difference": effect.relative_difference,
        "status": effect.status,
    }


def _arms(sides: pd.DataFrame, metric: Metric) -> tuple[Arm, Arm]:
    """Return the totals of reference and run of the paired users for whom both are known."""
    sides = sides[sides["is_paired"]]
    totals = pd.DataFrame(
        {
            "user_id": sides["user_id"],
            "is_reference": sides["is_reference"],
            "numerator": sides[metric.numerator].astype(float),
            "denominator": sides[metric.denominator].astype(float) if metric.denominator else 1.0,
        }
    )
    if metric.is_per_week:
        known_half_hours = sides["half_hours"] - sides["unknown_half_hours"]
        totals["numerator"] *= _HALF_HOURS_PER_WEEK / known_half_hours
    known = totals.dropna()
    known = known[known["user_id"].duplicated(keep=False)]
    reference, run = (known[known["is_reference"] == side] for side in (True, False))
    return tuple(Arm(side["numerator"], side["denominator"]) for side in (reference, run))


def _peak_row(sides: pd.DataFrame, peak_kw: pd.Series) -> dict:
    """Return the peaks of the paired users; one number each has no interval."""
    users = sides.loc[sides["is_paired"], "user_id"].nunique()
    value, reference = (float(peak_kw.get(side, math.nan)) for side in (False, True))
    return {
        "metric": FLEET_PEAK,
        "unit": "kW",
        "users": users,
        "users_left_out": sides["user_id"].nunique() - users,
        "value": value,
        "reference_value": reference,
        "difference": value - reference,
        "relative_difference": (value - reference) / abs(reference) if reference else math.nan,
        "status": ONE_FIGURE,
    }
