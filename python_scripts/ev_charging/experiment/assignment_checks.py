"""Checks of the assignment: who is in which arm."""

import math
from collections.abc import Iterator
from typing import Any

import duckdb
import pandas as pd

from ev_charging.experiment.check import ALARM, NOT_AVAILABLE, WARNING, WHOLE, check
from ev_charging.experiment.effect import OK
from ev_charging.experiment.regression import USERS_FOR_NORMAL
from ev_charging.experiment.sample_ratio import sample_ratio
from ev_charging.experiment.wording import p_text, percent

FEW_USERS = 50
DAYS_PER_USER = "days_per_user"


def count_assignments(
    session: duckdb.DuckDBPyConnection,
    assignments: duckdb.DuckDBPyRelation,
    experiments: duckdb.DuckDBPyRelation,
) -> pd.DataFrame:
    """Return the users per experiment, segment and variant (missing = mixed).

    Args:
        session: the connection that the relations are of.
        assignments, experiments: int_experiment_assignments and int_experiments.

    Returns:
        Columns experiment_id, segment, variant, users, and user_days: days of the experiment after
        the assignment, summed over the users.
    """
    return session.sql(
        """
        select
            assignments.experiment_id, assignments.segment, assignments.variant,
            count(*) as users,
            sum(greatest(experiments.days - greatest(
                epoch(assignments.assigned_at - experiments.starts_at) / 86400, 0
            ), 0)) as user_days
        from assignments
        inner join experiments
            on assignments.experiment_id = experiments.experiment_id
        group by assignments.experiment_id, assignments.segment, assignments.variant
        order by assignments.experiment_id, assignments.segment, assignments.variant
        """
    ).df()


def assignment_checks(experiment: Any, assignments: pd.DataFrame) -> Iterator[dict]:
    """Yield the checks of one experiment.

    Args:
        experiment: its row of int_experiments.
        assignments: its rows of `count_assignments`.
    """
    assigned = int(assignments["users"].sum())
    is_mixed = assignments["variant"].isna()
    known = assignments[~is_mixed]
    counts = known.groupby("variant")["users"].sum()
    yield check(
        "assignment_present",
        WHOLE,
        OK if assigned else ALARM,
        f"{assigned:,} users are assigned." if assigned else "No user is assigned.",
        value=assigned,
        threshold=1,
    )
    yield _mixed_users(experiment, int(assignments.loc[is_mixed, "users"].sum()), assigned)
    yield _both_arms(experiment.control_variant, list(counts.index))
    yield _sample_ratio(experiment, WHOLE, counts)
    # An arm that is missing from a segment altogether has 0 users there.
    by_segment = known.pivot_table(
        index="segment", columns="variant", values="users", aggfunc="sum", fill_value=0
    )
    for segment, segment_counts in by_segment.iterrows():
        # One alarm level for all segments together: many segments are no reason for many alarms.
        yield _sample_ratio(experiment, f"segment {segment}", segment_counts, len(by_segment))
    for variant, users in counts.items():
        yield _users_per_arm(variant, int(users))
        days = known.loc[known["variant"] == variant, "user_days"].sum() / users
        yield check(
            DAYS_PER_USER,
            variant,
            OK,
            f"A user is in the experiment for {days:.1f} days on average.",
            value=days,
        )


def _mixed_users(experiment: Any, mixed: int, assigned: int) -> dict:
    if not assigned:
        return check("mixed_users", WHOLE, NOT_AVAILABLE, "No user is assigned.")
    share = mixed / assigned
    return check(
        "mixed_users",
        WHOLE,
        ALARM if share > experiment.max_mixed_share else OK,
        f"{mixed:,} of {assigned:,} users ({percent(share)}) are in more than one arm and are"
        " left out.",
        value=share,
        threshold=experiment.max_mixed_share,
    )


def _both_arms(control: str, variants: list[str]) -> dict:
    treatments = [variant for variant in variants if variant != control]
    missing = [] if control in variants else [f"the control arm '{control}'"]
    if not treatments:
        missing.append("a treatment arm")
    if missing:
        finding = f"Nobody is in {' or '.join(missing)}."
    else:
        finding = f"'{control}' is compared with {', '.join(map(repr, treatments))}."
    return check(
        "both_arms_present",
        WHOLE,
        ALARM if missing else OK,
        finding,
        value=len(variants),
        threshold=2,
    )


def _sample_ratio(experiment: Any, subject: str, counts: pd.Series, tests: int = 1) -> dict:
    p_value = sample_ratio(counts.to_numpy(), _planned_shares(experiment, counts.index))
    if math.isnan(p_value):
        return check("sample_ratio", subject, NOT_AVAILABLE, "There are no two arms to compare.")
    level = experiment.sample_ratio_alpha / tests
    is_broken = p_value < level
    users = ", ".join(f"{int(users):,} in {variant}" for variant, users in counts.items())
    place = "" if subject == WHOLE else f"In {subject}: "
    verdict = "chance alone doesn't part users like that" if is_broken else "as chance parts users"
    return check(
        "sample_ratio",
        subject,
        ALARM if is_broken else OK,
        f"{place}{users}: {verdict} ({p_text(p_value)}).",
        value=counts.max() / counts.sum(),
        threshold=level,
        p_value=p_value,
    )


def _planned_shares(experiment: Any, variants: pd.Index) -> list[float] | None:
    """Return the planned share of each variant; None = equal ones, as without a plan."""
    is_control = variants == experiment.control_variant
    if pd.isna(experiment.control_share) or not is_control.any() or len(variants) < 2:
        return None
    of_others = (1 - experiment.control_share) / (len(variants) - 1)
    return [experiment.control_share if control else of_others for control in is_control]


def _users_per_arm(variant: str, users: int) -> dict:
    remark = "."
    if users < FEW_USERS:
        remark = ": too few for intervals that one can rely on."
    elif users < USERS_FOR_NORMAL:
        remark = ": few, so that HC3 errors decide."
    return check(
        "users_per_arm",
        variant,
        WARNING if users < FEW_USERS else OK,
        f"{users:,} {'user' if users == 1 else 'users'}{remark}",
        value=users,
        threshold=FEW_USERS,
    )
