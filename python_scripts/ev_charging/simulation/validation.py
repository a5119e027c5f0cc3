"""Whether a simulated fleet charges as real drivers do."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ev_charging.frames import COUNT, FLAG, NUMBER, TEXT, typed_frame
from ev_charging.simulation.archetypes import archetypes_of
from ev_charging.simulation.charging_figures import charging_figures
from ev_charging.simulation.config import FleetConfig
from ev_charging.simulation.reference_run import reference_run

REFERENCE_RUN = "reference_run"
LOADED = "loaded"

VALIDATION = {
    "fleet": TEXT,
    "run_id": TEXT,
    "figure": TEXT,
    "unit": TEXT,
    "real_low": NUMBER,
    "real_high": NUMBER,
    "tolerance": NUMBER,
    "simulated_value": NUMBER,
    "users": COUNT,
    "passes": FLAG,
}


def simulation_validation(
    sessions: pd.DataFrame,
    observed: pd.DataFrame,
    archetypes: pd.DataFrame,
    real: pd.DataFrame,
    limits: pd.DataFrame,
) -> pd.DataFrame:
    """Return the figures of a fleet simulated for this and of every loaded run, beside real ones.

    Args:
        sessions: sessions of all loaded runs: user_key, plugged_in_local_at, plugged_out_local_at,
            energy_kwh; energy that was given back is not in it.
        observed: rows of int_simulator__observed_users.
        archetypes: rows of the seed charging_archetypes.
        real: rows of the seed residential_charging_figures.
        limits: the row of int_simulator__validation_limits.

    Returns:
        A frame with the columns VALIDATION: one row per run and real figure, in order.

    Raises:
        ValueError: the archetypes or the limits can't be.
    """
    limit = limits.iloc[0]
    minimum_users = int(limit["min_users"])
    config = FleetConfig(
        users=int(limit["users"]),
        days=int(limit["days"]),
        zone=limit["price_zone"],
        time_zone=limit["time_zone"],
    )
    reference = charging_figures(
        *reference_run(config, archetypes_of(archetypes.to_dict("records")))
    )
    rows = [
        *_judged(REFERENCE_RUN, config.controller, reference, real, minimum_users),
        *(
            row
            for run_id, users in observed.groupby("run_id")
            for row in _judged(LOADED, run_id, _figures(sessions, users), real, minimum_users)
        ),
    ]
    return typed_frame(VALIDATION, rows)


def passes(value: float, low: float, high: float, tolerance: float) -> bool:
    """Return whether a value lies between two bounds, or beyond them by at most the tolerance."""
    return bool(low - tolerance <= value <= high + tolerance)


def _figures(sessions: pd.DataFrame, users: pd.DataFrame) -> pd.DataFrame:
    of_run = sessions[sessions["user_key"].isin(users["user_key"])]
    return charging_figures(
        of_run.rename(columns={"user_key": "user"}), users.rename(columns={"user_key": "user"})
    )


def _judged(
    fleet: str, run_id: str, figures: pd.DataFrame, real: pd.DataFrame, minimum_users: int
) -> Iterator[dict]:
    found = figures.set_index("figure")
    for row in real.itertuples():
        value, users = found.at[row.figure, "value"], found.at[row.figure, "users"]
        is_judged = users >= minimum_users and np.isfinite(value)
        yield {
            "fleet": fleet,
            "run_id": run_id,
            "figure": row.figure,
            "unit": row.unit,
            "real_low": row.low,
            "real_high": row.high,
            "tolerance": row.tolerance,
            "simulated_value": value,
            "users": users,
            "passes": passes(value, row.low, row.high, row.tolerance) if is_judged else None,
        }
