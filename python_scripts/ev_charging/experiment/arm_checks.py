"""Checks that compare the users of a treatment with those of the control arm."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from ev_charging.experiment.arm import Arm
from ev_charging.experiment.arms import NO_VARIANT, Comparison
from ev_charging.experiment.check import NOT_AVAILABLE, WARNING, WHOLE, check
from ev_charging.experiment.effect import NO_VARIANCE, OK
from ev_charging.experiment.ratio import delta_method
from ev_charging.experiment.wording import STATUS_SENTENCES, p_text, percent

# The metrics whose numerators are the sessions and the energy of a user.
SESSIONS = "sessions_per_user"
ENERGY = "energy_per_session"

LARGEST_USER_SHARE = 0.05


def arm_checks(comparison: Comparison, metrics: pd.DataFrame) -> Iterator[dict]:
    """Yield the checks of one treatment; none where the experiment has no treatment.

    Args:
        comparison: the arms of every metric.
        metrics: rows of the seed experiment_metrics.
    """
    if comparison.treatment == NO_VARIANT:
        return
    for metric in metrics.itertuples():
        yield _pre_period_balance(comparison, metric.metric)
        if metric.metric != SESSIONS:
            yield _missing_values(comparison, metric)
    activity = comparison.pair(SESSIONS)
    yield _difference(
        comparison, "sessions_per_user", comparison.treatment, activity, "Sessions per user"
    )
    # Users are independent: on them the test of two shares holds, and the delta method is that.
    active = [Arm((arm.numerator > 0).astype(float), np.ones(arm.users)) for arm in activity]
    yield _difference(
        comparison, "users_with_sessions", comparison.treatment, active, "Users who charge at all"
    )


def largest_user_share(comparisons: list[Comparison]) -> dict:
    """Return the check whether one user makes up much of all sessions of an experiment."""
    arms = comparisons[0].arms
    sessions = np.concatenate(
        [np.zeros(1), *(arm.numerator for (metric, _), arm in arms.items() if metric == SESSIONS)]
    )
    if not sessions.sum():
        return check("largest_user_share", WHOLE, NOT_AVAILABLE, "There are no sessions.")
    share = sessions.max() / sessions.sum()
    return check(
        "largest_user_share",
        WHOLE,
        WARNING if share > LARGEST_USER_SHARE else OK,
        f"The user with most sessions has {sessions.max():,.0f} of {sessions.sum():,.0f}"
        f" ({percent(share)}).",
        value=share,
        threshold=LARGEST_USER_SHARE,
    )


def _pre_period_balance(comparison: Comparison, metric: str) -> dict:
    name, subject = "pre_period_balance", f"{metric}, {comparison.treatment}"
    before = [arm.pre_period() for arm in comparison.pair(metric)]
    if None in before:
        finding = "No totals from before the assignment were delivered for both arms."
        return _not_available(comparison, name, subject, finding)
    return _difference(comparison, name, subject, before, "Before the assignment")


def _missing_values(comparison: Comparison, metric: Any) -> dict:
    """Compare how much of what users did has no value of the metric."""
    name, subject = "missing_values", f"{metric.metric}, {comparison.treatment}"
    what, whole_metric = ("Sessions", SESSIONS) if metric.counts_sessions else ("Energy", ENERGY)
    pairs = list(zip(comparison.pair(whole_metric), comparison.pair(metric.metric), strict=True))
    if any(whole.users != known.users for whole, known in pairs):
        finding = f"It takes the metric {whole_metric}, which isn't computed."
        return _not_available(comparison, name, subject, finding)
    missing = [
        Arm(np.maximum(whole.numerator - known.denominator, 0), whole.numerator)
        for whole, known in pairs
    ]
    row = _difference(comparison, name, subject, missing, f"{what} without a value")
    total = sum(arm.denominator.sum() for arm in missing)
    if row["value"] is not None:
        row["value"] = sum(arm.numerator.sum() for arm in missing) / total
    return row


def _difference(
    comparison: Comparison, name: str, subject: str, arms: tuple | list, label: str
) -> dict:
    """Return the check whether chance explains the difference of two arms."""
    alpha = comparison.experiment.activity_alpha
    effect = delta_method(*arms, alpha)
    if effect.status not in (OK, NO_VARIANCE):
        return _not_available(comparison, name, subject, STATUS_SENTENCES[effect.status])
    differs = effect.p_value < alpha
    if effect.status == NO_VARIANCE:
        # There is no p-value, and chance explains only that both arms are the same.
        differs = not math.isclose(effect.control, effect.treatment, rel_tol=1e-9)
    evidence = "" if math.isnan(effect.p_value) else f" ({p_text(effect.p_value)})"
    verdict = "more than chance explains" if differs else "no more than chance explains"
    figures = [
        percent(figure) if name in _SHARES else f"{figure:,.4g}"
        for figure in (effect.control, effect.treatment)
    ]
    return check(
        name,
        subject,
        WARNING if differs else OK,
        f"{label}: {figures[0]} in {comparison.control}, {figures[1]} in {comparison.treatment},"
        f" a difference {verdict}{evidence}.",
        value=effect.difference,
        threshold=alpha,
        p_value=effect.p_value,
        treatment=comparison.treatment,
    )


_SHARES = ("missing_values", "users_with_sessions")


def _not_available(comparison: Comparison, name: str, subject: str, finding: str) -> dict:
    return check(name, subject, NOT_AVAILABLE, finding, treatment=comparison.treatment)
