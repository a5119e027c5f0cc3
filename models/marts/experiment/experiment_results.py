"""The effect on every metric by every method."""

from ev_charging.experiment.arms import aggregate_arms
from ev_charging.experiment.results import experiment_results


def model(dbt, session):
    """Return one row per experiment, treatment, metric and method."""
    return experiment_results(
        arms=aggregate_arms(dbt.ref("experiment_users")),
        values=dbt.ref("int_experiment_values").df(),
        experiments=dbt.ref("int_experiments").df(),
        metrics=dbt.ref("experiment_metrics").df(),
    )
