"""A run as it is delivered: the fleet that is simulated, its name, and what is broken in it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from ev_charging.simulation.archetypes import Archetype
from ev_charging.simulation.config import FleetConfig
from ev_charging.simulation.damage import check_shares, damaged_days
from ev_charging.simulation.simulator import Fleet, Tables
from ev_charging.simulation.tables import RunTexts


@dataclass(frozen=True)
class Run:
    """One simulation and what is delivered of it.

    Attributes:
        config: what is simulated.
        archetypes: kinds of drivers.
        prices: what the controller knows; see `Fleet`.
        run_id: name of the run; by default that of its controller and its dispatch.
        counterfactual_run_id: name of the run of the same drivers without the dispatch.
        damage_shares: share of the stays that each kind of damage is chosen for; none for no
            damage.
    """

    config: FleetConfig
    archetypes: list[Archetype]
    prices: pd.DataFrame
    run_id: str = ""
    counterfactual_run_id: str = ""
    damage_shares: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Name the run, and refuse what can't be delivered.

        Raises:
            ValueError: a name or a share of damage can't be.
        """
        if not self.run_id:
            object.__setattr__(self, "run_id", default_run_id(self.config))
        for name in ("run_id", "counterfactual_run_id"):
            value = getattr(self, name)
            if value and not re.fullmatch(r"[A-Za-z0-9._-]+", value):
                raise ValueError(f"{name} may have letters, digits, . _ and -, not {value!r}")
        if self.counterfactual_run_id and self.config.dispatch is None:
            raise ValueError("counterfactual_run_id needs a dispatch")
        check_shares(self.damage_shares)

    @property
    def texts(self) -> RunTexts:
        """Return what every row of the run says."""
        dispatch = self.config.dispatch
        return RunTexts(
            self.run_id,
            self.config.zone,
            self.config.time_zone,
            None if dispatch is None else dispatch.mode,
            self.counterfactual_run_id or None,
        )

    def fleet(self) -> Fleet:
        """Return the fleet, not yet simulated.

        Raises:
            ValueError: see `Fleet`.
        """
        return Fleet(self.config, self.archetypes, self.prices)

    def days(self, fleet: Fleet) -> Iterator[Tables]:
        """Simulate the fleet and yield the tables of each day as they are delivered."""
        days = fleet.days()
        if not any(self.damage_shares.values()):
            return days
        return damaged_days(days, self.config, fleet.run_end_s, self.run_id, self.damage_shares)


def default_run_id(config: FleetConfig) -> str:
    """Return the name of a run that has none: its controller, and its dispatch if there is one."""
    if config.dispatch is None:
        return config.controller
    return f"{config.controller}-{config.dispatch.mode}"
