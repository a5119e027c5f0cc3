"""Checks of the sessions: what was delivered beside what is computed, and what doesn't count."""

from collections.abc import Iterator

import duckdb
import pandas as pd

from ev_charging.experiment.check import NOT_AVAILABLE, WARNING, WHOLE, check
from ev_charging.experiment.effect import OK
from ev_charging.experiment.wording import percent

LEAST_AGREEMENT = 0.95
# Days without any session, and sessions of users whom nobody assigned, are rare in sound data.
MOST_EMPTY_DAYS = 0.1
MOST_UNKNOWN_SESSIONS = 0.05
# A cent, or the rounding of a price: costs that differ less are the same.
COST_TOLERANCE_EUR = 0.01
COST_TOLERANCE_SHARE = 0.01
AGREEMENTS = {
    "low_price_flag_agreement": ("flags_compared", "flags_agreeing", "low-price flag"),
    "delivered_cost_agreement": ("costs_compared", "costs_agreeing", "cost"),
}
OUTSIDE = {
    "before_assignment": "began before their user was assigned or the experiment started",
    "after_end": "began after the end of the experiment",
    "mixed_users": "belong to users in more than one arm",
}


def count_sessions(
    session: duckdb.DuckDBPyConnection,
    experiments: duckdb.DuckDBPyRelation,
    assignments: duckdb.DuckDBPyRelation,
    delivered: duckdb.DuckDBPyRelation,
    counted: duckdb.DuckDBPyRelation,
) -> pd.DataFrame:
    """Return one row per experiment with the numbers of sessions that are checked.

    Args:
        session: the connection that the relations are of.
        experiments, assignments: int_experiments and int_experiment_assignments.
        delivered: stg_experiment__sessions, all sessions.
        counted: int_experiment_sessions, those that count.
    """
    return session.sql(
        f"""
        with agreements as (
            select
                experiment_id,
                count(distinct day_number) as days_with_sessions,
                count_if(
                    delivered_is_low_price is not null and priced_is_low_price is not null
                ) as flags_compared,
                count_if(delivered_is_low_price = priced_is_low_price) as flags_agreeing,
                count_if(
                    delivered_cost_eur is not null and priced_cost_eur is not null
                ) as costs_compared,
                count_if(
                    abs(delivered_cost_eur - priced_cost_eur) <= greatest(
                        {COST_TOLERANCE_EUR}, {COST_TOLERANCE_SHARE} * abs(priced_cost_eur)
                    )
                ) as costs_agreeing
            from counted
            group by experiment_id
        ),
        of_assigned as (
            select
                experiments.experiment_id,
                count_if(assignments.is_mixed) as mixed_users,
                count_if(
                    not assignments.is_mixed and (
                        delivered.plugged_in_at < assignments.assigned_at
                        or delivered.plugged_in_at < experiments.starts_at
                    )
                ) as before_assignment,
                count_if(
                    not assignments.is_mixed
                    and delivered.plugged_in_at >= assignments.assigned_at
                    and delivered.plugged_in_at >= experiments.planned_end_at
                ) as after_end
            from delivered
            inner join assignments
                on delivered.user_id = assignments.user_id
            inner join experiments
                on assignments.experiment_id = experiments.experiment_id
            group by experiments.experiment_id
        ),
        late as (
            select experiments.experiment_id, count(*) as users
            from assignments
            inner join experiments
                on assignments.experiment_id = experiments.experiment_id
            where assignments.assigned_at >= experiments.planned_end_at
            group by experiments.experiment_id
        )
        select
            experiments.experiment_id,
            experiments.days,
            coalesce(agreements.days_with_sessions, 0) as days_with_sessions,
            coalesce(late.users, 0) as users_assigned_late,
            coalesce(agreements.flags_compared, 0) as flags_compared,
            coalesce(agreements.flags_agreeing, 0) as flags_agreeing,
            coalesce(agreements.costs_compared, 0) as costs_compared,
            coalesce(agreements.costs_agreeing, 0) as costs_agreeing,
            coalesce(of_assigned.before_assignment, 0) as before_assignment,
            coalesce(of_assigned.after_end, 0) as after_end,
            coalesce(of_assigned.mixed_users, 0) as mixed_users,
            (select count(*) from delivered) as delivered,
            (
                select count(*) from delivered
                where user_id is null or user_id not in (select user_id from assignments)
            ) as unknown_users
        from experiments
        left join agreements
            on experiments.experiment_id = agreements.experiment_id
        left join of_assigned
            on experiments.experiment_id = of_assigned.experiment_id
        left join late
            on experiments.experiment_id = late.experiment_id
        order by experiments.experiment_id
        """
    ).df()


def session_checks(sessions: pd.DataFrame) -> Iterator[dict]:
    """Yield the checks of one experiment.

    Args:
        sessions: its row of `count_sessions`.
    """
    counts = {name: int(sessions[name].sum()) for name in sessions if name != "experiment_id"}
    for name, (compared, agreeing, what) in AGREEMENTS.items():
        yield _agreement(name, what, counts[compared], counts[agreeing])
    for reason, text in OUTSIDE.items():
        yield check(
            "sessions_outside_experiment",
            reason,
            OK,
            f"{counts[reason]:,} sessions {text}; they don't count.",
            value=counts[reason],
        )
    yield _days_with_sessions(counts["days_with_sessions"], counts["days"])
    yield _unknown_users(counts["unknown_users"], counts["delivered"])
    late = counts["users_assigned_late"]
    yield check(
        "users_assigned_late",
        WHOLE,
        WARNING if late else OK,
        f"{late:,} users were assigned after the planned end: they count, without sessions.",
        value=late,
        threshold=0,
    )


def _days_with_sessions(with_sessions: int, days: int) -> dict:
    if not days:
        return check("days_with_sessions", WHOLE, NOT_AVAILABLE, "No session counts.")
    return check(
        "days_with_sessions",
        WHOLE,
        WARNING if with_sessions < (1 - MOST_EMPTY_DAYS) * days else OK,
        f"Sessions that count began on {with_sessions:,} of {days:,} days.",
        value=with_sessions / days,
        threshold=1 - MOST_EMPTY_DAYS,
    )


def _unknown_users(unknown: int, delivered: int) -> dict:
    share = unknown / delivered if delivered else 0.0
    return check(
        "sessions_of_unknown_users",
        WHOLE,
        WARNING if share > MOST_UNKNOWN_SESSIONS else OK,
        f"{unknown:,} of {delivered:,} sessions ({percent(share)}) belong to users that no"
        " experiment assigned; they don't count.",
        value=share,
        threshold=MOST_UNKNOWN_SESSIONS,
    )


def _agreement(name: str, what: str, compared: int, agreeing: int) -> dict:
    if not compared:
        finding = f"No session has a delivered and a computed {what}."
        return check(name, WHOLE, NOT_AVAILABLE, finding)
    share = agreeing / compared
    return check(
        name,
        WHOLE,
        WARNING if share < LEAST_AGREEMENT else OK,
        f"The delivered {what} is the computed one in {agreeing:,} of {compared:,} sessions"
        f" ({percent(share)}).",
        value=share,
        threshold=LEAST_AGREEMENT,
    )
