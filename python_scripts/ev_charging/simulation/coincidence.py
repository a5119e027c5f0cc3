"""How much of their power a group of cars draws at once."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from ev_charging.simulation.observed_stays import DAY_H, ObservedStays, spread_over

# The more days, the higher the highest hour: periods of one length are compared.
DAYS = 56
GROUPS = 200
_SEED = 1


def coincidence_factors(
    stays: ObservedStays, sizes: Sequence[int], power_kw: float, minimum_days: int
) -> tuple[list[float], int]:
    """Return the coincidence factor of groups of each size, and the number of drivers drawn from.

    Each stay charges its energy at `power_kw` from the plug-in on. The factor of a group is its
    highest hourly energy in the last 56 observed days / what it would be with every car at full
    power all the hour. Groups are drawn at random, 200 of each size, without putting a driver
    into a group twice; the factor of a size is the mean over its groups. The draws are the same
    every time.

    Args:
        stays: stays of known energy; drivers observed on fewer than `minimum_days` of these days
            are left out.
        sizes: numbers of drivers in a group.
        power_kw: power of every charger.
        minimum_days: observed days that a driver needs.

    Returns:
        One factor per size, nan where there are fewer drivers than that; number of drivers.
    """
    end_day = stays.end_day.max(initial=0)
    first_day = end_day - DAYS
    observed_days = stays.end_day - np.maximum(stays.first_day, first_day)
    drivers = np.flatnonzero(observed_days >= minimum_days)
    loads = _hourly_loads(stays, first_day, power_kw)[drivers]
    random = np.random.default_rng(_SEED)
    factors = [
        _mean_peak(loads, size, random) / (size * power_kw) if size <= len(drivers) else np.nan
        for size in sizes
    ]
    return factors, len(drivers)


def _hourly_loads(stays: ObservedStays, first_day: int, power_kw: float) -> sparse.csr_array:
    """Return the energy per driver and hour from the first day on, kWh."""
    end_h = stays.plug_in_h + stays.energy_kwh / power_kw
    stay, hour, share_h = spread_over(stays.plug_in_h, end_h, 1)
    column = hour - first_day * DAY_H
    counts = (column >= 0) & (column < DAYS * DAY_H)
    shape = (stays.drivers, DAYS * DAY_H)
    places = (stays.driver[stay][counts], column[counts])
    hours = sparse.coo_array((share_h[counts], places), shape=shape).tocsr()
    # A car whose stays overlap has one charger.
    hours.data = np.minimum(hours.data, 1)
    return hours * power_kw


def _mean_peak(loads: sparse.csr_array, size: int, random: np.random.Generator) -> float:
    drivers = loads.shape[0]
    member = np.concatenate(
        [random.choice(drivers, size, replace=False, shuffle=False) for _ in range(GROUPS)]
    )
    group = np.repeat(np.arange(GROUPS), size)
    groups = sparse.csr_array((np.ones(len(member)), (group, member)), shape=(GROUPS, drivers))
    return (groups @ loads).toarray().max(axis=1).mean()
