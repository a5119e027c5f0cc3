"""The primaries as they stood after each day: what looking early would have said."""

from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from ev_charging.experiment.arm import Arm
from ev_charging.experiment.arms import Comparison, comparisons
from ev_charging.experiment.effect import OK, Effect, excludes_zero
from ev_charging.experiment.frames import LOOKS
from ev_charging.experiment.ratio import delta_method
from ev_charging.experiment.sequence import confidence_sequence
from ev_charging.frames import typed_frame

BETTER = "better"
WORSE = "worse"
UNDECIDED = "undecided"
NOT_AVAILABLE = "not_available"


def aggregate_user_days(
    session: duckdb.DuckDBPyConnection,
    user_days: duckdb.DuckDBPyRelation,
    assignments: duckdb.DuckDBPyRelation,
    experiments: duckdb.DuckDBPyRelation,
    metrics: duckdb.DuckDBPyRelation,
) -> pd.DataFrame:
    """Return the days frame, aggregated in DuckDB.

    Args:
        session: the connection that the relations are of.
        user_days, assignments, experiments, metrics: int_experiment_user_days,
            int_experiment_assignments, int_experiments and the seed experiment_metrics.

    Returns:
        One row per experiment, primary and variant: assigned_day, an array with the day of the
        experiment on which each user was assigned (from 1), and arrays with an entry for each user
        and day with sessions: user_number (from 0), day_number (from 1), numerator and
        denominator.
    """
    return session.sql(
        """
        with numbered as (
            select
                assignments.experiment_id, assignments.variant, assignments.user_id,
                row_number() over (
                    partition by assignments.experiment_id, assignments.variant
                    order by assignments.user_id
                ) - 1 as user_number,
                greatest(
                    1 + floor(epoch(assignments.assigned_at - experiments.starts_at) / 86400), 1
                ) as assigned_day
            from assignments
            inner join experiments
                on assignments.experiment_id = experiments.experiment_id
            where not assignments.is_mixed
        ),
        arms as (
            select
                experiment_id, variant,
                list(cast(assigned_day as integer) order by user_number) as assigned_day
            from numbered
            group by experiment_id, variant
        ),
        days as (
            select
                user_days.experiment_id, user_days.metric, user_days.variant,
                list(struct_pack(
                    user_number := numbered.user_number,
                    day_number := user_days.day_number,
                    numerator := cast(user_days.numerator as double),
                    denominator := cast(user_days.denominator as double)
                )) as entries
            from user_days
            inner join numbered
                on user_days.experiment_id = numbered.experiment_id
                and user_days.user_id = numbered.user_id
            group by user_days.experiment_id, user_days.metric, user_days.variant
        )
        select
            arms.experiment_id, metrics.metric, arms.variant, arms.assigned_day,
            coalesce(list_transform(entries, lambda entry: entry.user_number), []) as user_number,
            coalesce(list_transform(entries, lambda entry: entry.day_number), []) as day_number,
            coalesce(list_transform(entries, lambda entry: entry.numerator), []) as numerator,
            coalesce(list_transform(entries, lambda entry: entry.denominator), []) as denominator
        from arms
        cross join metrics
        left join days
            on arms.experiment_id = days.experiment_id
            and arms.variant = days.variant
            and metrics.metric = days.metric
        where metrics.role = 'primary'
        order by arms.experiment_id, metrics.metric, arms.variant
        """
    ).df()


def experiment_looks(
    days: pd.DataFrame, experiments: pd.DataFrame, metrics: pd.DataFrame
) -> pd.DataFrame:
    """Return one row per experiment, treatment, primary and day, with all days up to it.

    Args:
        days: the days frame of `aggregate_user_days`.
        experiments: rows of int_experiments.
        metrics: rows of the seed experiment_metrics.

    Returns:
        A frame with the columns `frames.LOOKS`, in the order of its key. At each look those users
        count who were assigned by then, also those without sessions.
    """
    primaries = metrics[metrics["role"] == "primary"].sort_values("metric")
    rows = [
        row
        for experiment in experiments.itertuples()
        for row in _experiment_rows(
            days[days["experiment_id"] == experiment.experiment_id],
            experiments[experiments["experiment_id"] == experiment.experiment_id],
            primaries,
            experiment.days,
        )
    ]
    return typed_frame(LOOKS, sorted(rows, key=lambda row: [row[name] for name in _KEY]))


_KEY = ("experiment_id", "treatment_variant", "metric", "day_number")


def _experiment_rows(
    days: pd.DataFrame, experiment: pd.DataFrame, primaries: pd.DataFrame, last_day: int
) -> Iterator[dict]:
    if not last_day:
        return
    rows = {(row.experiment_id, row.metric, row.variant): row for row in days.itertuples()}
    cumulated = {key: _cumulated(row, last_day) for key, row in rows.items()}
    assigned = {key: _assigned_day(row, last_day) for key, row in rows.items()}
    for day in range(1, last_day + 1):
        arms = {
            key: Arm(*totals[:, day - 1, assigned[key] <= day]) for key, totals in cumulated.items()
        }
        for comparison in comparisons(arms, experiment):
            for metric in primaries.itertuples():
                yield _look(comparison, metric, day, is_last=day == last_day)


def _cumulated(row: Any, last_day: int) -> np.ndarray:
    """Return numerators and denominators up to each day, float64, shape (2, days, users)."""
    totals = np.zeros((2, last_day, len(row.assigned_day)))
    # Who was assigned after the last session counts at the last look.
    place = (np.minimum(row.day_number, last_day) - 1, row.user_number)
    for total, values in zip(totals, (row.numerator, row.denominator), strict=True):
        np.add.at(total, place, values)
    return totals.cumsum(axis=1)


def _assigned_day(row: Any, last_day: int) -> np.ndarray:
    """Return the first look at which each user counts, shape (users,)."""
    first = np.minimum(row.assigned_day, last_day)
    # A day is counted on the clock and an assignment in hours: whoever has a session is there.
    np.minimum.at(first, row.user_number, row.day_number)
    return first


def _look(comparison: Comparison, metric: Any, day: int, is_last: bool) -> dict:
    experiment = comparison.experiment
    arms = comparison.pair(metric.metric)
    users = sum(arm.users for arm in arms)
    fixed = delta_method(*arms, experiment.alpha)
    anytime = confidence_sequence(fixed, users, experiment.planned_users, experiment.alpha)
    return {
        **comparison.key,
        "metric": metric.metric,
        "day_number": day,
        "users": users,
        "difference": fixed.difference,
        "standard_error": fixed.standard_error,
        "fixed_ci_low": fixed.ci_low,
        "fixed_ci_high": fixed.ci_high,
        "fixed_p_value": fixed.p_value,
        "fixed_verdict": _verdict(fixed, metric.better),
        "anytime_ci_low": anytime.ci_low,
        "anytime_ci_high": anytime.ci_high,
        "anytime_p_value": anytime.p_value,
        "anytime_verdict": _verdict(anytime, metric.better),
        "is_last_look": is_last,
        "status": fixed.status,
    }


def _verdict(effect: Effect, better: str) -> str:
    if effect.status != OK:
        return NOT_AVAILABLE
    if not excludes_zero(effect.ci_low, effect.ci_high):
        return UNDECIDED
    return BETTER if (effect.difference > 0) == (better == "higher") else WORSE
