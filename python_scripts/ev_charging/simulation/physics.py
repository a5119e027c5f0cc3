"""How a car takes and gives energy: exact in time, whatever the step it is looked at.

While it charges at the power P of its charger, the battery gains `gain * P - standing_loss_kw`:
the efficiency falls with the current. Near a full battery the car takes less and less, from P down
to 6 A at 100 %, linearly in its state of charge; the equation is linear too, so that state of
charge and energy are known in closed form for any time of charging.
"""

from dataclasses import dataclass

import numpy as np

from ev_charging.simulation.archetypes import SIX_AMPERES_KW

HOUR_S = 3600.0


@dataclass(frozen=True)
class Physics:
    """What a car and its charger lose, and how the car ends a charge.

    Attributes:
        gain: part of each further kW from the grid that reaches the battery.
        standing_loss_kw: power that the charger needs for itself while it charges.
        discharging_efficiency: part of the battery's energy that reaches the grid.
        taper_per_hour: power that a car takes at 6 A above, per kWh of capacity and unit of charge
            that is missing; infinite for a car that takes full power to the end.
    """

    gain: float
    standing_loss_kw: float
    discharging_efficiency: float
    taper_per_hour: float

    def efficiency(self, power_kw: np.ndarray) -> np.ndarray:
        """Return the part of the grid's energy that reaches the battery at a power."""
        return self.gain - self.standing_loss_kw / power_kw


# 92 % at 7 kW and 81 % at 6 A: on-board chargers lose a nearly constant 0.2 kW and about 5 %
# (Kieldsen et al., Efficiency test method for electric vehicle chargers, EVS29, 2016; Apostolaki-
# Iosifidou, Codani, Kempton, Energy 127, 2017). 7 kW into 60 kWh is cut from 94 % on.
REAL = Physics(0.95, 0.2, 0.93, 5.6 / (0.06 * 60))
LOSSLESS = Physics(1.0, 0.0, 1.0, np.inf)


class ChargeCurve:
    """State of charge and energy of many cars as functions of their time of charging."""

    def __init__(
        self,
        physics: Physics,
        soc: np.ndarray,
        target_soc: np.ndarray,
        battery_kwh: np.ndarray,
        power_kw: np.ndarray,
    ) -> None:
        """Prepare curves, one per element: from a state of charge to a target, both 0 to 1."""
        self._soc = soc
        self._battery_kwh = battery_kwh
        self._power_kw = power_kw
        self._physics = physics
        rate = physics.gain * power_kw - physics.standing_loss_kw
        self._soc_per_s = rate / battery_kwh / HOUR_S
        bend = 1 - (power_kw - SIX_AMPERES_KW) / (battery_kwh * physics.taper_per_hour)
        bend_s = np.maximum(np.minimum(target_soc, bend) - soc, 0) / self._soc_per_s
        #: seconds of charging until the target; 0 where it is reached already
        self.seconds = bend_s
        # who stops before the bend never comes to it, whatever rounding does to the time
        self._bend_s = np.full_like(soc, np.inf)
        if np.isinf(physics.taper_per_hour):
            return
        # missing charge u beyond the bend: du/dt = -(level + u) * slope, in seconds
        self._slope = physics.gain * physics.taper_per_hour / HOUR_S
        lowest = physics.gain * SIX_AMPERES_KW - physics.standing_loss_kw
        self._level = lowest / (physics.gain * physics.taper_per_hour * battery_kwh)
        self._missing = 1 - np.maximum(soc, bend)
        bends = (target_soc > bend) & (target_soc > soc)
        taper = (self._missing + self._level) / (1 - target_soc + self._level)
        self._bend_s = np.where(bends, bend_s, np.inf)
        self.seconds = bend_s + np.where(bends, np.log(np.where(bends, taper, 1)) / self._slope, 0)

    def at(self, car: np.ndarray, seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return state of charge (0 to 1) and energy from the grid (kWh) after a time of charging.

        Args:
            car: index of the curve per element.
            seconds: time of charging, at most `self.seconds` of that curve.
        """
        soc = self._soc[car] + self._soc_per_s[car] * seconds
        energy = self._power_kw[car] * seconds / HOUR_S
        late = np.flatnonzero(seconds > self._bend_s[car])
        if late.size:
            cars = car[late]
            after_s = seconds[late] - self._bend_s[cars]
            level = self._level[cars]
            missing = (self._missing[cars] + level) * np.exp(-self._slope * after_s) - level
            soc[late] = 1 - missing
            gained = (1 - missing - self._soc[cars]) * self._battery_kwh[cars]
            loss = self._physics.standing_loss_kw * seconds[late] / HOUR_S
            energy[late] = (gained + loss) / self._physics.gain
        return soc, energy
