"""The feeds of the simulator: their columns, and how what is simulated becomes their text."""

from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from ev_charging.simulation import dispatch, events
from ev_charging.simulation.damage import KINDS
from ev_charging.simulation.simulator import NOT_CHARGED, OPEN, STATES

_INSTANT = "strftime(make_timestamp({} * 1000000), '%Y-%m-%dT%H:%M:%SZ')"
# Whole Wh as kWh, which a division of binary numbers would round.
_KWH = "cast(cast({} as decimal(15, 0)) * 0.001 as varchar)"
_NAMES = "[{names}][{{}} + 1]"


def _one_of(names: tuple[str, ...]) -> str:
    return _NAMES.format(names=", ".join(f"'{name}'" for name in names))


# How a value that is simulated becomes text.
_KINDS = {
    "text": "cast({} as varchar)",
    "user": "'u' || ({} + 1)",
    "whole": "cast({} as varchar)",
    "instant": _INSTANT,
    "end of stay": _INSTANT.format(f"nullif({{}}, {OPEN})"),
    "charging": _INSTANT.format(f"nullif({{}}, {NOT_CHARGED})"),
    "day": "strftime(make_timestamp({} * 86400000000), '%Y-%m-%d')",
    "watt hours": _KWH,
    "dispatched": _KWH.format(f"nullif({{}}, {dispatch.NO_ENERGY})"),
    "thousandths": "cast(cast({} as decimal(18, 3)) as varchar)",
    "percent": "cast(cast({} as decimal(9, 2)) as varchar)",
    "state": _one_of(STATES),
    "plug event": _one_of(events.EVENTS),
    "dispatch event": _one_of(dispatch.EVENTS),
    "damage": _one_of(KINDS),
}


@dataclass(frozen=True)
class RunTexts:
    """What every row of a run says.

    Attributes:
        run_id: name of the run.
        price_zone: where its drivers buy energy.
        time_zone: IANA name of their clock.
        dispatch_mode: what its cars are told to do; None without dispatch.
        counterfactual_run_id: name of the run of the same drivers without it; None for none.
    """

    run_id: str
    price_zone: str
    time_zone: str
    dispatch_mode: str | None = None
    counterfactual_run_id: str | None = None


# Column of the feed: kind of value, and its column in the table that is simulated. A column without
# a kind is the run's.
_RUN, _USER = {"run_id": None}, {"user_id": ("user", "user")}
_SOC = {"soc_pct": ("percent", "soc_pct")}
_SOC_CHANGE = {
    "soc_start_pct": ("percent", "soc_start_pct"),
    "soc_end_pct": ("percent", "soc_end_pct"),
}
_ENERGY = {
    "import_kwh": ("watt hours", "import_wh"),
    "export_kwh": ("watt hours", "export_wh"),
}
_REGISTERS = {
    "import_register_kwh": ("watt hours", "import_register_wh"),
    "export_register_kwh": ("watt hours", "export_register_wh"),
}
FEEDS: dict[str, dict[str, tuple[str, str] | None]] = {
    "users": {
        **_RUN,
        **_USER,
        "archetype": ("text", "archetype"),
        "battery_kwh": ("thousandths", "battery_kwh"),
        "charger_kw": ("thousandths", "charger_kw"),
        "target_soc_pct": ("percent", "target_soc_pct"),
        "reserve_soc_pct": ("percent", "reserve_soc_pct"),
        "km_per_kwh": ("thousandths", "km_per_kwh"),
        "price_zone": None,
        "time_zone": None,
    },
    "telemetry": {
        **_RUN,
        **_USER,
        "starts_at": ("instant", "starts_at"),
        "ends_at": ("instant", "ends_at"),
        **_ENERGY,
        **_REGISTERS,
        **_SOC,
        "state": ("state", "state"),
    },
    "plug_events": {
        **_RUN,
        **_USER,
        "event": ("plug event", "event"),
        "occurred_at": ("instant", "occurred_at"),
        "received_at": ("instant", "received_at"),
        **_SOC,
        **_REGISTERS,
    },
    "trips": {
        **_RUN,
        **_USER,
        "departed_at": ("instant", "departed_at"),
        "arrived_at": ("instant", "arrived_at"),
        "distance_km": ("thousandths", "distance_km"),
        "driving_kwh": ("thousandths", "driving_kwh"),
        "public_kwh": ("thousandths", "public_kwh"),
        **_SOC_CHANGE,
    },
    "dispatches": {
        **_RUN,
        "dispatch_id": ("day", "dispatch"),
        **_USER,
        "event": ("dispatch event", "event"),
        "occurred_at": ("instant", "occurred_at"),
        "window_starts_at": ("instant", "window_starts_at"),
        "window_ends_at": ("instant", "window_ends_at"),
        "mode": None,
        "energy_kwh": ("dispatched", "energy_wh"),
        "counterfactual_run_id": None,
    },
    "session_truth": {
        **_RUN,
        **_USER,
        "plugged_in_at": ("instant", "plugged_in_at"),
        "plugged_out_at": ("end of stay", "plugged_out_at"),
        "expected_departure_at": ("instant", "expected_departure_at"),
        "charging_started_at": ("charging", "charging_started_at"),
        "charging_ended_at": ("charging", "charging_ended_at"),
        "charging_seconds": ("whole", "charging_seconds"),
        **_ENERGY,
        **_SOC_CHANGE,
    },
    "injected_damage": {
        "damage_kind": ("damage", "kind"),
        **_RUN,
        **_USER,
        "reference": ("instant", "reference"),
    },
}


def feed_name(table: str) -> str:
    """Return the name of the feed of a table, as the var feeds has it."""
    return f"simulator__{table}"


def frame_of(table: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return a simulated table as a frame that shares its arrays."""
    return pd.DataFrame(table, copy=False)


def text_query(table: str, texts: RunTexts, relation: str | None) -> str:
    """Return the query of a feed: all columns text, NULL where there is no value.

    Args:
        table: one of `FEEDS`.
        texts: what every row of the run says.
        relation: what holds the simulated rows, in SQL; None for no rows.
    """
    of_run = {
        "run_id": texts.run_id,
        "price_zone": texts.price_zone,
        "time_zone": texts.time_zone,
        "mode": texts.dispatch_mode,
        "counterfactual_run_id": texts.counterfactual_run_id,
    }
    columns = []
    for column, source in FEEDS[table].items():
        if relation is None:
            value = "cast(null as varchar)"
        elif source is None:
            value = _literal(of_run[column])
        else:
            kind, name = source
            value = _KINDS[kind].format(f'"{name}"')
        columns.append(f'{value} as "{column}"')
    rows = "where false" if relation is None else f"from {relation}"
    return f"select {', '.join(columns)} {rows}"


def text_frame(table: str, texts: RunTexts, parts: list[dict[str, np.ndarray]]) -> pd.DataFrame:
    """Return simulated rows as columns of text, '' where there is no value."""
    with duckdb.connect() as connection:
        if parts:
            connection.register("rows", pd.concat([frame_of(part) for part in parts]))
        return connection.sql(text_query(table, texts, "rows" if parts else None)).df().fillna("")


def _literal(text: str | None) -> str:
    return "cast(null as varchar)" if text is None else "'" + text.replace("'", "''") + "'"
