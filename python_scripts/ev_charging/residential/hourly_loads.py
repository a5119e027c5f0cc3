"""The published rule that turns charging reports into hourly loads per session.

Source: Sorensen et al., Data in Brief 36 (2021) 107105, data sets 1 and 2; the details were
found by rebuilding data set 2 from data set 1.

The arithmetic is exact. Power profiles of 3.6 and 7.2 kW deliver 1 and 2 Wh per second, reports
give energy in steps of 10 Wh and durations in whole seconds, so every value is a whole number
of Wh.
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from ev_charging.residential.local_clock import HOUR_S

PROFILES_WH_PER_S = (1, 2)
NO_DURATION = -1
_MINUTE_S = 60


@dataclass(frozen=True)
class HourlyLoads:
    """Hourly loads, one entry per session and hour; all arrays have the shape (rows,).

    Attributes:
        session: index into the sessions that were given.
        hour: start of the hour, hours since 1970 (UTC).
        synthetic_3_6_wh, synthetic_7_2_wh: energy charged in the hour, Wh; 0 is none.
        flex_3_6_wh, flex_7_2_wh: energy that could be shifted into the hour, Wh; 0 is none.
    """

    session: np.ndarray
    hour: np.ndarray
    synthetic_3_6_wh: np.ndarray
    synthetic_7_2_wh: np.ndarray
    flex_3_6_wh: np.ndarray
    flex_7_2_wh: np.ndarray

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.session)

    def take(self, selection: np.ndarray) -> Self:
        """Return the rows of a mask or of an array of positions."""
        return type(self)(*(getattr(self, field.name)[selection] for field in fields(self)))


@dataclass(frozen=True)
class _Profile:
    """Charging and idle filling of each session at one power; arrays of shape (sessions,)."""

    wh_per_s: int
    energy_wh: np.ndarray
    idle_wh: np.ndarray
    charge_end_s: np.ndarray
    fill_hour: np.ndarray
    first_capacity_wh: np.ndarray


def hourly_loads(
    plugin_s: np.ndarray,
    energy_wh: np.ndarray,
    duration_s: np.ndarray,
    lost_hours: np.ndarray | None = None,
) -> HourlyLoads:
    """Return the hourly loads of sessions, ordered by session and hour.

    Charging starts at the plug-in minute and runs at the profile's power until the reported
    energy is used up, whatever the plug-out. The idle energy, power x duration - energy, is
    then filled into the hours from the end of charging on.

    Args:
        plugin_s: plug-in instants, seconds since 1970 (UTC), shape (sessions,).
        energy_wh: energy of the session, Wh, even and not negative, shape (sessions,).
        duration_s: reported time connected, s, or NO_DURATION, shape (sessions,).
        lost_hours: hours (since 1970, UTC) that the publication leaves out.

    Raises:
        ValueError: if the shapes differ, or an energy is negative or an odd number of Wh.
    """
    plugin_s, energy_wh, duration_s = (
        np.asarray(values, dtype=np.int64) for values in (plugin_s, energy_wh, duration_s)
    )
    if not plugin_s.shape == energy_wh.shape == duration_s.shape:
        raise ValueError("plug-ins, energies and durations must have the same shape")
    if np.any(energy_wh < 0) or np.any(energy_wh % 2):
        raise ValueError("an energy must be a whole, even number of Wh that is not negative")

    start_s = plugin_s // _MINUTE_S * _MINUTE_S
    profiles = [_profile(start_s, energy_wh, duration_s, power) for power in PROFILES_WH_PER_S]
    session, hour = _cells(start_s // HOUR_S, profiles)
    synthetic = [_charged_wh(profile, start_s, session, hour) for profile in profiles]
    flex = [_filled_wh(profile, session, hour) for profile in profiles]
    loads = HourlyLoads(session, hour, *synthetic, *flex)

    keep = np.logical_or.reduce([values > 0 for values in (*synthetic, *flex)])
    if lost_hours is not None:
        keep &= ~np.isin(hour, lost_hours)
    return loads.take(keep)


def closing_residues(
    plugin_s: np.ndarray, energy_wh: np.ndarray, duration_s: np.ndarray, wh_per_s: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the rounding residues that the publication shows as a flexible load.

    Where charging ends exactly on the hour, the next hour should start empty, but holds what
    is left after subtracting the hourly charges in floating point, such as 4e-16 kWh.

    Args:
        plugin_s: plug-in instants, seconds since 1970 (UTC), shape (sessions,).
        energy_wh: energy of the session, Wh, shape (sessions,).
        duration_s: reported time connected, s, or NO_DURATION, shape (sessions,).
        wh_per_s: power of the profile, 1 (3.6 kW) or 2 (7.2 kW).

    Returns:
        Session indices, hours (since 1970, UTC) and residues in kWh, positive ones only.
    """
    start_s = np.asarray(plugin_s, dtype=np.int64) // _MINUTE_S * _MINUTE_S
    profile = _profile(start_s, energy_wh, duration_s, wh_per_s)
    on_the_hour = (profile.first_capacity_wh == 0) & (profile.idle_wh > 0)
    found = []
    for index in np.flatnonzero(on_the_hour):
        first_wh = (-int(start_s[index])) % HOUR_S * wh_per_s
        full_hours = int(energy_wh[index] - first_wh) // (HOUR_S * wh_per_s)
        left_kwh = energy_wh[index] / 1000 - first_wh / 1000
        for _ in range(full_hours):
            left_kwh -= HOUR_S * wh_per_s / 1000
        residue_kwh = round(left_kwh, 16)
        if residue_kwh > 0:
            found.append((index, profile.fill_hour[index], residue_kwh))
    columns = list(zip(*found, strict=True)) or [(), (), ()]
    return (
        np.array(columns[0], dtype=np.int64),
        np.array(columns[1], dtype=np.int64),
        np.array(columns[2], dtype=float),
    )


def _profile(
    start_s: np.ndarray, energy_wh: np.ndarray, duration_s: np.ndarray, wh_per_s: int
) -> _Profile:
    idle_wh = np.where(
        duration_s == NO_DURATION, 0, np.maximum(wh_per_s * duration_s - energy_wh, 0)
    )
    charge_end_s = start_s + energy_wh // wh_per_s
    # The first hour to fill depends on the second of the plug-in, which is not published;
    # rounding the end of charging to the minute reproduces most of it. The capacity comes from
    # the exact end, so that an end at 17:59:55 leaves 5 seconds, and those in the hour of 18:00.
    rounded_end_s = (charge_end_s + _MINUTE_S // 2) // _MINUTE_S * _MINUTE_S
    # In the plug-in hour the whole hour counts as free, also the part before the plug-in.
    in_plugin_hour = charge_end_s // HOUR_S == start_s // HOUR_S
    return _Profile(
        wh_per_s=wh_per_s,
        energy_wh=energy_wh,
        idle_wh=idle_wh,
        charge_end_s=charge_end_s,
        fill_hour=rounded_end_s // HOUR_S,
        first_capacity_wh=wh_per_s * np.where(in_plugin_hour, HOUR_S, -charge_end_s % HOUR_S),
    )


def _cells(first_hour: np.ndarray, profiles: list[_Profile]) -> tuple[np.ndarray, np.ndarray]:
    """Return every (session, hour) pair from the plug-in to the last hour with a value."""
    last_hour = first_hour
    for profile in profiles:
        hour_wh = profile.wh_per_s * HOUR_S
        overflow_wh = np.maximum(profile.idle_wh - profile.first_capacity_wh, 0)
        fill_end = profile.fill_hour + -(-overflow_wh // hour_wh)
        last_hour = np.maximum(last_hour, (profile.charge_end_s - 1) // HOUR_S)
        last_hour = np.maximum(last_hour, np.where(profile.idle_wh > 0, fill_end, first_hour))
    count = last_hour - first_hour + 1
    session = np.repeat(np.arange(len(count)), count)
    offset = np.arange(len(session)) - np.repeat(np.cumsum(count) - count, count)
    return session, first_hour[session] + offset


def _charged_wh(
    profile: _Profile, start_s: np.ndarray, session: np.ndarray, hour: np.ndarray
) -> np.ndarray:
    since_start_s = hour * HOUR_S - start_s[session]
    energy_wh = profile.energy_wh[session]
    before_wh = profile.wh_per_s * np.maximum(since_start_s, 0)
    after_wh = profile.wh_per_s * (since_start_s + HOUR_S)
    return np.minimum(energy_wh, after_wh) - np.minimum(energy_wh, before_wh)


def _filled_wh(profile: _Profile, session: np.ndarray, hour: np.ndarray) -> np.ndarray:
    hour_wh = profile.wh_per_s * HOUR_S
    place = hour - profile.fill_hour[session]
    room_after_wh = profile.first_capacity_wh[session] + hour_wh * place
    room_before_wh = room_after_wh - hour_wh
    idle_wh = profile.idle_wh[session]
    after_wh = np.where(place < 0, 0, np.minimum(idle_wh, room_after_wh))
    before_wh = np.where(place < 1, 0, np.minimum(idle_wh, room_before_wh))
    return after_wh - before_wh
