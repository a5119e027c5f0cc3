"""What each controller changes against the reference run, paired per user."""

from ev_charging.fleet.controller_comparison import controller_comparison


def model(dbt, session):
    """Return one row per run and metric."""
    return controller_comparison(
        comparisons=dbt.ref("int_simulator__comparisons").df(),
        users=dbt.ref("int_simulator__compared_users").df(),
        peaks=dbt.ref("int_simulator__fleet_peaks").df(),
    )
