"""The effect on the primaries per segment."""

from ev_charging.experiment.segment_results import aggregate_segments, experiment_segments


def model(dbt, session):
    """Return one row per experiment, treatment, primary and segment."""
    metrics = dbt.ref("experiment_metrics")
    return experiment_segments(
        arms=aggregate_segments(session, dbt.ref("experiment_users"), metrics),
        experiments=dbt.ref("int_experiments").df(),
        metrics=metrics.df(),
    )
