"""The columns of the feeds and of the truth, and how what is simulated becomes their values."""

from collections.abc import Callable

import duckdb
import numpy as np
import pandas as pd

from ev_charging.telematics_feed.suppliers import KM_PER_MILE, SUPPLIERS, Supplier

PLAIN, LOWER_CASE, BLANK_BEFORE, BLANKS_AFTER = range(4)

_STAMP = "make_timestamp(nullif({0}, -1) * 1000000)"
_WHOLE = "cast(nullif({0}, -1) as decimal(12, 0))"
_FORMS = {
    LOWER_CASE: "lower(cast({0} as varchar))",
    BLANK_BEFORE: "' ' || cast({0} as varchar)",
    BLANKS_AFTER: "cast({0} as varchar) || '  '",
}


def _time(supplier: Supplier) -> str:
    form = "%Y-%m-%d %H:%M:%S" if supplier.is_local else "%Y-%m-%dT%H:%M:%SZ"
    return f"strftime({_STAMP}, '{form}')"


def _soc(supplier: Supplier) -> str:
    return f"{_WHOLE} * {supplier.soc_scale / 1000:g}"


def _energy(supplier: Supplier) -> str:
    return f"{_WHOLE} * 0.001" if supplier.power_unit == "kW" else _WHOLE


def _kilometres(supplier: Supplier) -> str:
    factor = f"{KM_PER_MILE / 10:.7f}" if supplier.distance_unit == "mi" else "0.1"
    return f"cast({_WHOLE} * {factor} as decimal(18, 6))"


def _by_supplier(expression: Callable[[Supplier], str]) -> str:
    cases = (f"when {number} then {expression(one)}" for number, one in enumerate(SUPPLIERS))
    return f"case supplier {' '.join(cases)} end"


def _as_delivered(expression: Callable[[Supplier], str]) -> str:
    return _by_supplier(lambda supplier: f"cast({expression(supplier)} as varchar)")


_ID_FORMS = " ".join(f"when {form} then {text}" for form, text in _FORMS.items())

# How a column of what is simulated becomes a value of a feed, which is text, or of the truth.
_KINDS = {
    "text": "cast({0} as varchar)",
    "id": f"case id_form {_ID_FORMS} else cast({{0}} as varchar) end",
    "supplier": _by_supplier(lambda supplier: f"'{supplier.name}'"),
    "time": _as_delivered(_time),
    "soc": _as_delivered(_soc),
    "distance": f"cast({_WHOLE} * 0.1 as varchar)",
    "energy": _as_delivered(_energy),
    "kilowatt hours": f"cast({_WHOLE} * 0.001 as varchar)",
    "day": "strftime(make_timestamp({0} * 86400000000), '%Y-%m-%d')",
    "reference": "strftime(make_timestamp({0} * 1000000), '%Y-%m-%dT%H:%M:%SZ')",
    "instant": _STAMP,
    "percent": f"cast({_WHOLE} * 0.1 as decimal(9, 4))",
    "kilometres": _by_supplier(_kilometres),
    "thousandths": f"cast({_WHOLE} * 0.001 as decimal(18, 6))",
    "count": "cast({0} as integer)",
    "boolean": "{0}",
}

# Column: kind of value, and the column that is simulated.
_WHO = {"supplier": ("supplier", "supplier"), "vehicle_id": ("id", "vehicle_id")}
_WHEN = {"started_at": ("time", "started_shown"), "ended_at": ("time", "ended_shown")}
_CHARGE = {"soc_start": ("soc", "soc_start"), "soc_end": ("soc", "soc_end")}
_TRUE_VEHICLE = {"vehicle_id": ("text", "vehicle_id")}
_TRUE_TIMES = {"started_at": ("instant", "started_at"), "ended_at": ("instant", "ended_at")}
_TRUE_SOC = {"soc_start_pct": ("percent", "soc_start"), "soc_end_pct": ("percent", "soc_end")}
_TRUE_ODOMETER = {
    "odometer_start_km": ("kilometres", "odometer_start"),
    "odometer_end_km": ("kilometres", "odometer_end"),
}
FEEDS: dict[str, dict[str, tuple[str, str]]] = {
    "telematics__vehicles": {
        "vehicle_id": ("id", "vehicle_id"),
        "client_id": ("id", "client_id"),
        "supplier": ("supplier", "supplier"),
        "vehicle_type": ("text", "vehicle_type"),
        "battery_kwh": ("kilowatt hours", "battery_wh"),
        "battery_chemistry": ("text", "battery_chemistry"),
        "region": ("text", "region"),
        "first_registered_on": ("day", "registered_day"),
    },
    "telematics__drives": {
        **_WHO,
        **_WHEN,
        **_CHARGE,
        "odometer_start": ("distance", "odometer_start"),
        "odometer_end": ("distance", "odometer_end"),
        "energy": ("energy", "energy_wh"),
    },
    "telematics__charges": {
        **_WHO,
        **_WHEN,
        **_CHARGE,
        "power": ("energy", "max_power_w"),
        "energy": ("energy", "energy_wh"),
        "place": ("text", "place"),
        "odometer": ("distance", "odometer_start"),
    },
    "telematics__injected_damage": {
        "damage_kind": ("text", "damage_kind"),
        "vehicle_id": ("text", "vehicle_id"),
        "reference": ("reference", "reference"),
    },
}
TRUTH: dict[str, dict[str, tuple[str, str]]] = {
    "truth_drives": {
        **_TRUE_VEHICLE,
        **_TRUE_TIMES,
        **_TRUE_SOC,
        **_TRUE_ODOMETER,
        "energy_kwh": ("thousandths", "energy_wh"),
        "is_logged": ("boolean", "is_logged"),
    },
    "truth_sessions": {
        **_TRUE_VEHICLE,
        **_TRUE_TIMES,
        **_TRUE_SOC,
        "energy_kwh": ("thousandths", "energy_wh"),
        "max_power_kw": ("thousandths", "max_power_w"),
        "place": ("text", "place"),
        "fragments": ("count", "fragments"),
        "is_logged": ("boolean", "is_logged"),
    },
    "truth_gaps": {
        **_TRUE_VEHICLE,
        "gap_started_at": ("instant", "gap_started_at"),
        "gap_ended_at": ("instant", "gap_ended_at"),
        "gap_kind": ("text", "gap_kind"),
        **_TRUE_SOC,
        **_TRUE_ODOMETER,
    },
}

Columns = dict[str, np.ndarray | pd.Categorical]


def relation(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Columns
) -> duckdb.DuckDBPyRelation:
    """Return rows of a feed as text, or rows of the truth with their types."""
    connection.register(f"simulated_{table}", pd.DataFrame(rows, copy=False))
    expressions = (
        f'{_KINDS[kind].format(simulated)} as "{column}"'
        for column, (kind, simulated) in {**FEEDS, **TRUTH}[table].items()
    )
    return connection.sql(f"select {', '.join(expressions)} from simulated_{table}")
