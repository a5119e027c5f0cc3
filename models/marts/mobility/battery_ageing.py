"""How much capacity batteries lose with age, per chemistry."""

from ev_charging.mobility.ageing import battery_ageing


def model(dbt, session):
    """Return one row per battery chemistry."""
    return battery_ageing(
        vehicles=dbt.ref("int_mobility__vehicle_capacities").df(),
        limits=dbt.ref("int_mobility__ageing_limits").df(),
    )
