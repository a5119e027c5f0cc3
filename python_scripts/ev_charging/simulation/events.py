"""The event log: what a charger reports when something happens, and when that arrives."""

import numpy as np

from ev_charging.stateless_random import uniform

EVENTS = ("plug_in", "charge_start", "charge_stop", "plug_out")
PLUG_IN, CHARGE_START, CHARGE_STOP, PLUG_OUT = range(len(EVENTS))
_LONGEST_DELAY_S = 20


def plug_events(
    seed: int,
    event: int,
    user: np.ndarray,
    occurred_at: np.ndarray,
    soc: np.ndarray,
    import_kwh: np.ndarray,
    export_kwh: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return events of one kind as columns of the table plug_events.

    Args:
        seed: of the run.
        event: index into `EVENTS`.
        user: number of the driver.
        occurred_at: instants, seconds.
        soc: state of charge, 0 to 1.
        import_kwh: reading of the import register.
        export_kwh: reading of the export register.
    """
    occurred_at = np.rint(occurred_at).astype(np.int64)
    delay_s = 1 + np.floor(_LONGEST_DELAY_S * uniform(seed, "delay", user, occurred_at, event))
    return {
        "user": user,
        "event": np.full(len(user), event, dtype=np.int8),
        "occurred_at": occurred_at,
        "received_at": occurred_at + delay_s.astype(np.int64),
        "soc_pct": 100 * soc,
        "import_register_wh": watt_hours(import_kwh),
        "export_register_wh": watt_hours(export_kwh),
    }


def watt_hours(register_kwh: np.ndarray) -> np.ndarray:
    """Return what a register that counts whole Wh shows."""
    return np.rint(1000 * register_kwh).astype(np.int64)
