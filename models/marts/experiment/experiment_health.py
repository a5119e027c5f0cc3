"""Whether the assignment and the data of each experiment can be trusted."""

from ev_charging.experiment.arms import aggregate_arms
from ev_charging.experiment.assignment_checks import count_assignments
from ev_charging.experiment.health import experiment_health
from ev_charging.experiment.session_checks import count_sessions


def model(dbt, session):
    """Return one row per experiment, check and subject."""
    assignments = dbt.ref("int_experiment_assignments")
    experiments = dbt.ref("int_experiments")
    return experiment_health(
        assignments=count_assignments(session, assignments, experiments),
        arms=aggregate_arms(dbt.ref("experiment_users")),
        sessions=count_sessions(
            session,
            experiments=experiments,
            assignments=assignments,
            delivered=dbt.ref("stg_experiment__sessions"),
            counted=dbt.ref("int_experiment_sessions"),
        ),
        experiments=experiments.df(),
        metrics=dbt.ref("experiment_metrics").df(),
    )
