"""The primaries as they stood after each day."""

from ev_charging.experiment.looks import aggregate_user_days, experiment_looks


def model(dbt, session):
    """Return one row per experiment, treatment, primary and day."""
    experiments = dbt.ref("int_experiments")
    metrics = dbt.ref("experiment_metrics")
    return experiment_looks(
        days=aggregate_user_days(
            session,
            user_days=dbt.ref("int_experiment_user_days"),
            assignments=dbt.ref("int_experiment_assignments"),
            experiments=experiments,
            metrics=metrics,
        ),
        experiments=experiments.df(),
        metrics=metrics.df(),
    )
