"""What follows from each experiment."""

from ev_charging.experiment.decision import experiment_decision


def model(dbt, session):
    """Return one row per experiment and treatment."""
    return experiment_decision(
        results=dbt.ref("experiment_results").df(),
        health=dbt.ref("experiment_health").df(),
        experiments=dbt.ref("int_experiments").df(),
        metrics=dbt.ref("experiment_metrics").df(),
    )
