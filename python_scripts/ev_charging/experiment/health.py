"""Whether the assignment and the data of an experiment can be trusted."""

import pandas as pd

from ev_charging.experiment.arm_checks import arm_checks, largest_user_share
from ev_charging.experiment.arms import Comparison, comparisons, read_arms
from ev_charging.experiment.assignment_checks import assignment_checks
from ev_charging.experiment.frames import HEALTH
from ev_charging.experiment.session_checks import session_checks
from ev_charging.frames import typed_frame


def experiment_health(
    assignments: pd.DataFrame,
    arms: pd.DataFrame,
    sessions: pd.DataFrame,
    experiments: pd.DataFrame,
    metrics: pd.DataFrame,
) -> pd.DataFrame:
    """Return one row per experiment, check and subject.

    Args:
        assignments: users as `assignment_checks.count_assignments` counts them.
        arms: the arms frame of `arms.aggregate_arms`.
        sessions: sessions as `session_checks.count_sessions` counts them.
        experiments: rows of int_experiments.
        metrics: rows of the seed experiment_metrics.

    Returns:
        A frame with the columns `frames.HEALTH`, in the order of its key.
    """
    compared: dict[str, list[Comparison]] = {}
    for comparison in comparisons(read_arms(arms), experiments):
        compared.setdefault(comparison.experiment.experiment_id, []).append(comparison)
    rows = []
    for experiment in experiments.itertuples():
        key = experiment.experiment_id
        found = [
            *assignment_checks(experiment, assignments[assignments["experiment_id"] == key]),
            *(row for comparison in compared[key] for row in arm_checks(comparison, metrics)),
            largest_user_share(compared[key]),
            *session_checks(sessions[sessions["experiment_id"] == key]),
        ]
        rows += [{"experiment_id": key, **row} for row in found]
    rows.sort(key=lambda row: (row["experiment_id"], row["check_name"], row["subject"]))
    return typed_frame(HEALTH, rows)
