"""Which stations are reliably better or worse than the others."""

from ev_charging.reliability.comparison import station_comparison


def model(dbt, session):
    """Return one row per listed station."""
    return station_comparison(
        stations=dbt.ref("station_reliability").filter("is_listed").df(),
        days=dbt.ref("int_network__station_days").df(),
        limits=dbt.ref("int_network__reliability_limits").df(),
    )
