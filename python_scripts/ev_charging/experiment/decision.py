"""What follows from an experiment: the first rule that applies."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ev_charging.experiment.arm_checks import SESSIONS
from ev_charging.experiment.assignment_checks import DAYS_PER_USER
from ev_charging.experiment.check import ALARM
from ev_charging.experiment.effect import (
    NO_CONTROL_USERS,
    NO_DENOMINATOR,
    NO_TREATMENT_USERS,
    OK,
)
from ev_charging.experiment.findings import Finding, decision_method, read_findings
from ev_charging.experiment.frames import DECISION
from ev_charging.experiment.power import minimum_detectable_effect, users_needed
from ev_charging.experiment.power_table import relative_pct
from ev_charging.experiment.savings import energy_per_user_day, saving
from ev_charging.experiment.wording import p_text, percent
from ev_charging.frames import typed_frame

INVALID = "invalid"
NOT_READY = "not_ready"
STOP_HARM = "stop_harm"
INTERPRET_WITH_CARE = "interpret_with_care"
SHIP = "ship"
NO_SHIP = "no_ship"
INCONCLUSIVE = "inconclusive"
STATES = (INVALID, NOT_READY, STOP_HARM, INTERPRET_WITH_CARE, SHIP, NO_SHIP, INCONCLUSIVE)

FIRST_ROLLOUT = 0.2
# Where even the low end of the interval is worthwhile.
LARGE_ROLLOUT = 0.5

GRAMS_PER_KG = 1000


@dataclass(frozen=True)
class Decision:
    """A state of STATES, the reason in a sentence or two, and the primary that it rests on.

    The rollout share is that of a first rollout, 0 to 1; None where nothing is rolled out. Users
    needed are those that a guardrail needs to be proven, nan where no number is enough; None where
    the primary decides them.
    """

    state: str
    reason: str
    primary: Finding | None = None
    rollout_share: float | None = None
    users_needed: float | None = None


def decide(
    experiment: Any,
    alarms: Sequence[str],
    assigned_users: int,
    activity: str | None,
    findings: Sequence[Finding],
) -> Decision:
    """Return the first state whose rule applies, in the order of STATES.

    Args:
        experiment: its row of int_experiments.
        alarms: findings of the health checks that make results invalid.
        assigned_users: users of all arms, those in more than one arm included.
        activity: the finding that the number of sessions per user moved; None if it didn't.
        findings: the metrics of one comparison.
    """
    primaries = [finding for finding in findings if finding.role == "primary"]
    guardrails = [finding for finding in findings if finding.role == "guardrail"]
    leading = _leading(primaries)
    if alarms:
        return Decision(INVALID, f"The results are not valid. {alarms[0]}", leading)
    waiting = _waiting_for(experiment, assigned_users)
    if waiting:
        return Decision(NOT_READY, f"It is too early to decide: {waiting}.", leading)
    harmed = [guardrail for guardrail in guardrails if guardrail.is_worse]
    if harmed:
        return Decision(STOP_HARM, f"A guardrail is worse: {_listed(harmed)}.", leading)
    if activity:
        reason = f"The sessions compared are not the same kind of sessions. {activity}"
        return Decision(INTERPRET_WITH_CARE, reason, leading)
    worse = [primary for primary in primaries if primary.is_worse]
    if worse:
        return Decision(NO_SHIP, f"A primary is worse: {_listed(worse)}.", worse[0])
    return _judge_gain(experiment, primaries, guardrails, leading)


def experiment_decision(
    results: pd.DataFrame,
    health: pd.DataFrame,
    experiments: pd.DataFrame,
    metrics: pd.DataFrame,
) -> pd.DataFrame:
    """Return one row per experiment and treatment.

    Args:
        results: rows of experiment_results.
        health: rows of experiment_health.
        experiments: rows of int_experiments.
        metrics: rows of the seed experiment_metrics.

    Returns:
        A frame with the columns `frames.DECISION`, in the order of its key.
    """
    plans = {experiment.experiment_id: experiment for experiment in experiments.itertuples()}
    keys = ["experiment_id", "treatment_variant"]
    return typed_frame(
        DECISION,
        (
            _row(plans[key[0]], key[1], rows, health[health["experiment_id"] == key[0]], metrics)
            for key, rows in results.groupby(keys, sort=True)
        ),
    )


def _judge_gain(
    experiment: Any,
    primaries: Sequence[Finding],
    guardrails: Sequence[Finding],
    leading: Finding | None,
) -> Decision:
    gains = [p for p in primaries if p.is_better and p.uplift >= p.worthwhile]
    unproven = [guardrail for guardrail in guardrails if not guardrail.is_harmless]
    best = _leading(gains)
    if best and not unproven:
        reason = (
            f"{best.text} is better ({p_text(best.row.p_value_holm)} after Holm) by"
            f" {percent(best.uplift)}, at least the worthwhile {percent(best.worthwhile)}, and no"
            " guardrail is worse by more than its margin."
        )
        is_large = best.uplift_interval[0] > best.worthwhile
        return Decision(SHIP, reason, best, LARGE_ROLLOUT if is_large else FIRST_ROLLOUT)
    if primaries and all(p.uplift_interval[1] < p.worthwhile for p in primaries):
        reason = f"No primary can have changed by a worthwhile amount: {_listed(primaries)}."
        return Decision(NO_SHIP, reason, leading)
    if best:
        users = max(_users_to_prove(experiment, guardrail) for guardrail in unproven)
        needed = f" To show that it isn't takes {users:,.0f} users." if users < math.inf else ""
        reason = (
            f"{best.text} is better, but a guardrail may be worse by more than its margin:"
            f" {_listed(unproven)}.{needed}"
        )
        return Decision(INCONCLUSIVE, reason, best, users_needed=users if needed else math.nan)
    if not leading:
        return Decision(INCONCLUSIVE, "No primary could be compared.")
    mde_pct, users = _needs(experiment, leading)
    reason = (
        f"Neither a worthwhile change nor its absence is shown: {_listed(primaries)}. With this"
        f" experiment, changes of '{leading.label}' from {mde_pct:.1f} % on are seen; to see the"
        f" worthwhile {percent(leading.worthwhile)} takes {users:,.0f} users."
    )
    return Decision(INCONCLUSIVE, reason, leading)


def _waiting_for(experiment: Any, assigned_users: int) -> str:
    missing = []
    if assigned_users < experiment.planned_users:
        missing.append(f"{assigned_users:,} of {experiment.planned_users:,} planned users")
    if experiment.days < experiment.min_days:
        missing.append(f"{experiment.days:,} of at least {experiment.min_days:,} days")
    # The last day may have no session; a decision is read once, when the plan has run out.
    elif pd.notna(experiment.planned_days) and experiment.days < experiment.planned_days - 1:
        missing.append(f"{experiment.days:,} of {experiment.planned_days:,.0f} planned days")
    return " and ".join(missing)


def _leading(primaries: Sequence[Finding]) -> Finding | None:
    """Return the primary with the strongest evidence among those that could be compared."""
    compared = [primary for primary in primaries if primary.row.status == OK]
    return min(compared, key=lambda p: (p.row.p_value_holm, p.metric), default=None)


def _needs(experiment: Any, primary: Finding) -> tuple[float, float]:
    """Return the detectable effect in %, and the users that the worthwhile effect needs."""
    row = primary.row
    mde = minimum_detectable_effect(row.standard_error, experiment.alpha, experiment.power)
    target = abs(row.control_value) * primary.worthwhile
    users = row.users_control + row.users_treatment
    return relative_pct(mde, row.control_value), users_needed(users, mde, target)


def _users_to_prove(experiment: Any, guardrail: Finding) -> float:
    """Return the users with whom a guardrail that hasn't moved is shown to be non-inferior."""
    row = guardrail.row
    if row.status != OK:
        return math.inf
    # One-sided: the detectable effect at twice the level.
    detectable = minimum_detectable_effect(
        row.standard_error, 2 * experiment.alpha, experiment.power
    )
    users = row.users_control + row.users_treatment
    return users_needed(users, detectable, guardrail.margin * abs(row.control_value))


def _listed(findings: Sequence[Finding]) -> str:
    return "; ".join(finding.text for finding in findings)


def _row(
    experiment: Any,
    treatment: str,
    results: pd.DataFrame,
    health: pd.DataFrame,
    metrics: pd.DataFrame,
) -> dict:
    method = decision_method(results)
    findings = read_findings(results, metrics, method)
    decision = decide(
        experiment,
        list(health.loc[health["status"] == ALARM, "finding"]),
        int(health.loc[health["check_name"] == "assignment_present", "value"].sum()),
        _moved_activity(experiment, results, method),
        findings,
    )
    row = {
        "experiment_id": experiment.experiment_id,
        "treatment_variant": treatment,
        "state": decision.state,
        "reason": decision.reason,
        "decision_method": method,
        "users": results["users_control"].max() + results["users_treatment"].max(),
        "planned_users": experiment.planned_users,
        "days": experiment.days,
        "rollout_share": decision.rollout_share,
    }
    if decision.primary:
        row |= _primary_columns(decision.primary)
        row["mde_relative_pct"], row["users_needed"] = _needs(experiment, decision.primary)
    if decision.users_needed is not None:
        row["users_needed"] = decision.users_needed
    if decision.state not in (INVALID, NOT_READY):
        exposure = health[
            (health["check_name"] == DAYS_PER_USER) & (health["subject"] == treatment)
        ]
        row |= _saving_columns(findings, results, float(exposure["value"].sum()))
    return row


def _moved_activity(experiment: Any, results: pd.DataFrame, method: str) -> str | None:
    """Return that the sessions per user moved, by the method that decides, or aren't known."""
    rows = results[results["metric"] == SESSIONS].set_index("method")
    row = rows.loc[method] if rows["status"].get(method) == OK else rows.loc["delta"]
    if row["status"] in (NO_DENOMINATOR, NO_CONTROL_USERS, NO_TREATMENT_USERS):
        return "Whether users charge more or less often is not known."
    if not row["p_value"] < experiment.activity_alpha:
        return None
    return (
        f"Sessions per user: {row['control_value']:.4g} in control, {row['treatment_value']:.4g} in"
        f" treatment, more than chance explains ({p_text(row['p_value'])})."
    )


def _primary_columns(primary: Finding) -> dict[str, Any]:
    names = (
        "control_value",
        "treatment_value",
        "difference",
        "ci_low",
        "ci_high",
        "p_value_holm",
        "relative_difference",
        "relative_ci_low",
        "relative_ci_high",
    )
    return {"primary_metric": primary.metric} | {name: getattr(primary.row, name) for name in names}


def _saving_columns(
    findings: Sequence[Finding], results: pd.DataFrame, days: float
) -> Mapping[str, float]:
    energy = results[(results["metric"] == "energy_per_session") & (results["method"] == "delta")]
    rows = {finding.metric: finding.row for finding in findings}
    columns = {}
    for metric, name, scale in (
        ("cost_per_kwh", "saving_eur", 1),
        ("gco2_per_kwh", "saving_co2_kg", GRAMS_PER_KG),
    ):
        if metric in rows and not energy.empty and days:
            energy_per_day = energy_per_user_day(next(energy.itertuples()), days)
            figures = [figure / scale for figure in saving(rows[metric], energy_per_day)]
            names = (f"{name}_per_1000_users_month", f"{name}_low", f"{name}_high")
            columns |= dict(zip(names, figures, strict=True))
    return columns
