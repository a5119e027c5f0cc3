"""Whether simulated fleets charge as real drivers do."""

from ev_charging.simulation.validation import simulation_validation


def model(dbt, session):
    """Return one row per simulated run and published figure."""
    simulated = dbt.ref("fct_charging_sessions").filter("source_system = 'simulator'")
    return simulation_validation(
        sessions=simulated.select(
            """
            user_key, plugged_in_local_at, plugged_out_local_at,
            greatest(energy_kwh - coalesce(exported_kwh, 0), 0) as energy_kwh
            """
        ).df(),
        observed=dbt.ref("int_simulator__observed_users").df(),
        archetypes=dbt.ref("charging_archetypes").df(),
        real=dbt.ref("residential_charging_figures").df(),
        limits=dbt.ref("int_simulator__validation_limits").df(),
    )
