"""What happens: drives and charges of vehicles, day by day, with SOC and odometer as integers."""

from collections import defaultdict
from datetime import date, timedelta

import numpy as np

from ev_charging.simulation.clock import DAY_S, LocalClock, day_start_s
from ev_charging.stateless_random import uniform
from ev_charging.telematics_feed import driving
from ev_charging.telematics_feed.charging import charges_after
from ev_charging.telematics_feed.driving import HOUR_S, MOST_DRIVES
from ev_charging.telematics_feed.fleet import FULL, Vehicles

TIME_ZONE = "Europe/Oslo"
NOWHERE = -1

_RESERVE = 50
_PAUSE_S = 300
_LATEST_DEPARTURE_S = 23 * HOUR_S + 1800
_MORNING_S = DAY_S + 5 * HOUR_S
_WAITING_FOR_NEXT_S = 4 * HOUR_S

Events = dict[str, np.ndarray]


def events_of(
    vehicles: Vehicles, clock: LocalClock, first_day: date, days: int, seed: int
) -> Events:
    """Return all drives and charges that begin in the local days of a run.

    Args:
        vehicles: who drives.
        clock: clock of the time zone, prepared for the days.
        first_day: first local day.
        days: number of days.
        seed: of the random numbers.

    Returns:
        One element per event, ordered by vehicle and time: vehicle (index into `vehicles`),
        is_charge, started_at and ended_at (seconds since 1970, UTC), soc_start and soc_end
        (tenths of a point), odometer_start and odometer_end (tenths of the supplier's unit),
        energy_wh (charges: at the meter), max_power_w and place (0 and `NOWHERE` for drives).
    """
    world = _World(vehicles, clock, first_day, days, seed)
    for number in range(days):
        world.live(first_day + timedelta(days=number))
    return world.events()


class _World:
    """The vehicles as they are at some instant, and what has happened so far."""

    def __init__(
        self, vehicles: Vehicles, clock: LocalClock, first_day: date, days: int, seed: int
    ) -> None:
        self._vehicles = vehicles
        self._clock = clock
        self._seed = seed
        begin, end = (day_start_s(first_day) + part * DAY_S for part in (0, days))
        self._end = int(clock.instant(np.array(end)))
        self._free_at = np.full(len(vehicles.number), int(clock.instant(np.array(begin))))
        self._soc = vehicles.first_soc.copy()
        self._odometer = vehicles.first_odometer.copy()
        self._wh_per_km = 10 * vehicles.of_type("kwh_per_100km") * vehicles.consumption_factor
        self._limits_w = vehicles.of_type("ac_w"), vehicles.of_type("dc_w")
        self._happened: dict[str, list[np.ndarray]] = defaultdict(list)

    def live(self, day: date) -> None:
        """Let the vehicles drive and charge for a day."""
        vehicles, midnight, number = self._vehicles, day_start_s(day), day_start_s(day) // DAY_S
        self._capacity_wh = vehicles.capacity_wh(number)
        self._degrees = driving.temperature_c(self._seed, vehicles.region, number)
        planned = driving.drives_per_day(self._seed, vehicles.number, vehicles.use, number)
        for slot in range(MOST_DRIVES):
            drivers = np.flatnonzero(planned > slot)
            arrived = self._drive(drivers, midnight, number, slot)
            self._charge(arrived, planned[arrived] == slot + 1, midnight, number, slot)

    def events(self) -> Events:
        """Return everything that has happened, ordered by vehicle and time."""
        columns = {name: np.concatenate(parts) for name, parts in self._happened.items()}
        order = np.lexsort((columns["started_at"], columns["vehicle"]))
        return {name: values[order] for name, values in columns.items()}

    def _drive(self, index: np.ndarray, midnight: int, day: int, slot: int) -> np.ndarray:
        """Let vehicles drive as far as they get; return those that did."""
        vehicles, seed = self._vehicles, self._seed
        number, use = vehicles.number[index], vehicles.use[index]
        wall = midnight + driving.planned_departure_s(seed, number, use, day, slot)
        starts = np.maximum(self._clock.instant(wall), self._free_at[index] + _PAUSE_S)
        soc = self._after_standing(index, starts, day, slot, "standby")
        per_km = driving.trip_wh_per_km(
            seed, number, day, slot, self._wh_per_km[index], self._degrees[index]
        )
        base_wh = driving.start_wh(self._degrees[index])
        wh_per_point = self._capacity_wh[index] / FULL
        reach_km = ((soc - _RESERVE) * wh_per_point - base_wh) / per_km
        km = np.minimum(driving.trip_km(seed, number, use, day, slot), reach_km)
        km_per_tenth = vehicles.km_per_tenth[index]
        distance = np.floor(km / km_per_tenth).astype(np.int64)
        is_in_time = (starts < self._end) & (
            self._clock.wall(starts) < midnight + _LATEST_DEPARTURE_S
        )
        goes = is_in_time & (distance * km_per_tenth >= 0.5)

        index, starts, soc, distance = (part[goes] for part in (index, starts, soc, distance))
        km = distance * km_per_tenth[goes]
        energy_wh = km * per_km[goes] + base_wh[goes]
        fall = np.round(energy_wh / wh_per_point[goes]).astype(np.int64)
        ends = starts + driving.trip_s(seed, number[goes], day, slot, km)
        odometer = self._odometer[index]
        self._remember(
            vehicle=index,
            is_charge=np.zeros(len(index), dtype=bool),
            started_at=starts,
            ended_at=ends,
            soc_start=soc,
            soc_end=soc - fall,
            odometer_start=odometer,
            odometer_end=odometer + distance,
            energy_wh=np.round(energy_wh).astype(np.int64),
            max_power_w=np.zeros(len(index), dtype=np.int64),
            place=np.full(len(index), NOWHERE),
        )
        return index

    def _charge(
        self, index: np.ndarray, is_last: np.ndarray, midnight: int, day: int, slot: int
    ) -> None:
        """Let vehicles that have arrived charge, if they want to."""
        vehicles = self._vehicles
        arrived_at = self._free_at[index]
        morning = int(self._clock.instant(np.array(midnight + _MORNING_S)))
        room_s = np.where(is_last, morning - arrived_at, _WAITING_FOR_NEXT_S)
        charges = charges_after(
            self._seed,
            (vehicles.number[index], day, slot),
            vehicles.use[index],
            self._soc[index],
            self._capacity_wh[index],
            tuple(limit[index] for limit in self._limits_w),
            vehicles.target_soc[index],
            is_last,
            room_s,
        )
        starts = arrived_at + charges.delay_s
        soc = self._after_standing(index, starts, day, slot, "standby before charge")
        begins = charges.is_charging & (starts < self._end)

        index, starts, soc = (part[begins] for part in (index, starts, soc))
        odometer = self._odometer[index]
        self._remember(
            vehicle=index,
            is_charge=np.ones(len(index), dtype=bool),
            started_at=starts,
            ended_at=starts + charges.seconds[begins],
            soc_start=soc,
            soc_end=soc + charges.rise[begins],
            odometer_start=odometer,
            odometer_end=odometer,
            energy_wh=charges.energy_wh[begins],
            max_power_w=charges.max_power_w[begins],
            place=charges.place[begins],
        )

    def _after_standing(
        self, index: np.ndarray, until: np.ndarray, day: int, slot: int, channel: str
    ) -> np.ndarray:
        """Return the SOC that standing leaves."""
        vehicles = self._vehicles
        hours = (until - self._free_at[index]) / HOUR_S
        lost = vehicles.standby_per_h[index] * hours
        # Only whole tenths can be lost: now and then one more, so that it is right on average.
        lost = np.floor(lost + uniform(self._seed, channel, vehicles.number[index], day, slot))
        return np.maximum(
            self._soc[index] - lost.astype(np.int64), np.minimum(self._soc[index], 10)
        )

    def _remember(self, **columns: np.ndarray) -> None:
        """Keep events, and what they leave the vehicles with."""
        index = columns["vehicle"]
        self._free_at[index] = columns["ended_at"]
        self._soc[index] = columns["soc_end"]
        self._odometer[index] = columns["odometer_end"]
        for name, values in columns.items():
            self._happened[name].append(values)
