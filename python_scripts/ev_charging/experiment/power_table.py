"""How small an effect the experiment can see, and what other weeks or users would change."""

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from ev_charging.experiment.effect import OK
from ev_charging.experiment.frames import POWER
from ev_charging.experiment.power import (
    minimum_detectable_effect,
    standard_error_after,
    users_needed,
)
from ev_charging.frames import typed_frame

METHODS = ("delta", "cuped")
DAYS_PER_WEEK = 7
WEEKS = range(1, 13)
TARGET_EFFECTS_PCT = (1, 2, 5, 10)


def experiment_power(results: pd.DataFrame, experiments: pd.DataFrame) -> pd.DataFrame:
    """Return one row per experiment, treatment, primary, method, number of weeks and target.

    Args:
        results: rows of experiment_results.
        experiments: rows of int_experiments.

    Returns:
        A frame with the columns `frames.POWER`, in the order of its key. A method without a
        standard error has no rows. Of CUPED, and of a metric without naive methods, only the
        observed weeks are known: how much of what CUPED leaves would shrink is not in the results.
    """
    plans = {experiment.experiment_id: experiment for experiment in experiments.itertuples()}
    primaries = results[(results["role"] == "primary") & (results["status"] == OK)]
    naive_errors = (
        primaries[primaries["method"] == "naive_welch"]
        .set_index(["experiment_id", "treatment_variant", "metric"])["standard_error"]
        .to_dict()
    )
    rows = [
        row
        for result in primaries[primaries["method"].isin(METHODS)].itertuples()
        for row in _rows(
            result,
            plans[result.experiment_id],
            naive_errors.get((result.experiment_id, result.treatment_variant, result.metric)),
        )
    ]
    return typed_frame(POWER, sorted(rows, key=lambda row: [row[name] for name in _KEY]))


_KEY = ("experiment_id", "treatment_variant", "metric", "method", "weeks", "target_effect_pct")


def _rows(result: Any, experiment: Any, naive_error: float | None) -> Iterator[dict]:
    observed = experiment.days / DAYS_PER_WEEK
    users = result.users_control + result.users_treatment
    for weeks, standard_error in _standard_errors(result, naive_error, observed).items():
        mde = minimum_detectable_effect(standard_error, experiment.alpha, experiment.power)
        for target in TARGET_EFFECTS_PCT:
            target_effect = abs(result.control_value) * target / 100
            yield {
                "experiment_id": result.experiment_id,
                "treatment_variant": result.treatment_variant,
                "metric": result.metric,
                "method": result.method,
                "weeks": weeks,
                "target_effect_pct": target,
                "users": users,
                "standard_error": standard_error,
                "mde_absolute": mde,
                "mde_relative_pct": relative_pct(mde, result.control_value),
                "users_needed": users_needed(users, mde, target_effect),
                "is_observed": weeks == observed,
            }


def relative_pct(effect: float, control_value: float) -> float:
    """Return an effect in % of the control's figure; nan where that is 0."""
    return 100 * effect / abs(control_value) if control_value else math.nan


def _standard_errors(result: Any, naive_error: float | None, observed: float) -> dict[float, float]:
    """Return the standard error by the number of weeks, the observed ones among them."""
    errors = {observed: result.standard_error}
    if naive_error is None or result.method == "cuped":
        return errors
    return errors | {
        float(week): standard_error_after(result.standard_error, naive_error, observed, week)
        for week in WEEKS
        if week != observed
    }
