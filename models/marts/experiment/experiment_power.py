"""How small an effect each experiment can see."""

from ev_charging.experiment.power_table import experiment_power


def model(dbt, session):
    """Return one row per experiment, treatment, primary, method, number of weeks and target."""
    return experiment_power(
        results=dbt.ref("experiment_results").df(),
        experiments=dbt.ref("int_experiments").df(),
    )
