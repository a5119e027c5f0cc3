"""A fleet that is simulated to be compared with real drivers, not to be kept."""

import numpy as np
import pandas as pd

from ev_charging.simulation.archetypes import Archetype
from ev_charging.simulation.clock import LocalClock
from ev_charging.simulation.config import FleetConfig
from ev_charging.simulation.simulator import OPEN, Fleet

_NO_PRICES = pd.DataFrame(columns=["zone", "starts_at", "minutes", "eur_per_mwh"])
_WH_PER_KWH = 1000


def reference_run(
    config: FleetConfig, archetypes: list[Archetype]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Simulate a fleet and return its sessions and the days on which its users were observed.

    Args:
        config: the run, under a controller that needs no prices.
        archetypes: kinds of drivers.

    Returns:
        Sessions and observed users as `charging_figures` takes them. Energy that was given back is
        not in the energy of a session.

    Raises:
        ValueError: see `Fleet`.
    """
    fleet = Fleet(config, archetypes, _NO_PRICES)
    stays = pd.concat(
        [pd.DataFrame(day["session_truth"]) for day in fleet.days() if "session_truth" in day],
        ignore_index=True,
    )
    clock = LocalClock(config.time_zone, config.start, config.days)
    plugged_out_at = stays["plugged_out_at"].to_numpy()
    net_wh = stays["import_wh"] - stays["export_wh"]
    sessions = pd.DataFrame(
        {
            "user": stays["user"],
            "plugged_in_local_at": _local(clock, stays["plugged_in_at"].to_numpy()),
            "plugged_out_local_at": _local(clock, plugged_out_at),
            "energy_kwh": np.maximum(net_wh, 0) / _WH_PER_KWH,
        }
    )
    sessions.loc[plugged_out_at == OPEN, "plugged_out_local_at"] = pd.NaT
    first_date = pd.Timestamp(config.start)
    observed = pd.DataFrame(
        {
            "user": fleet.users()["user"],
            "first_date": first_date,
            "last_date": first_date + pd.Timedelta(days=config.days - 1),
        }
    )
    return sessions, observed


def _local(clock: LocalClock, instant_s: np.ndarray) -> np.ndarray:
    return clock.wall(instant_s).astype("datetime64[s]")
