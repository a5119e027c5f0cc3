"""A market's windows: who is told to give energy back, or to take none, and who answers."""

from dataclasses import dataclass

import numpy as np

from ev_charging.simulation.archetypes import clock_seconds
from ev_charging.simulation.clock import LocalClock, day_start_s
from ev_charging.simulation.config import FleetConfig
from ev_charging.stateless_random import uniform

EVENTS = ("instructed", "acknowledged", "metered")
INSTRUCTED, ACKNOWLEDGED, METERED = range(len(EVENTS))
NO_ENERGY = np.iinfo(np.int64).min
_MINUTE_S = 60
_LONGEST_ANSWER_S = 45


@dataclass(frozen=True)
class Windows:
    """The windows of a run in order of time, one element per window.

    Attributes:
        number: days since 1970-01-01 of the window's local day.
        told_s: instant at which cars are instructed.
        start_s: instant at which the window begins.
        end_s: instant at which it ends.
    """

    number: np.ndarray
    told_s: np.ndarray
    start_s: np.ndarray
    end_s: np.ndarray

    def next_for(self, plugged_in_s: np.ndarray, from_s: np.ndarray) -> np.ndarray:
        """Return the next window of each stay; the number of windows where there is none.

        Args:
            plugged_in_s: begin of the stay; a car that comes after the instruction has no part.
            from_s: instant before which windows are over.
        """
        return np.maximum(
            np.searchsorted(self.told_s, plugged_in_s, side="left"),
            np.searchsorted(self.start_s, from_s, side="left"),
        )


def windows_of(config: FleetConfig, clock: LocalClock) -> Windows:
    """Return the windows of a run; none without a dispatch.

    Raises:
        ValueError: the clock skips a window on one of the days.
    """
    days = config.dispatch_dates()
    days_s = np.array([day_start_s(day) for day in days], dtype=np.int64)
    if not len(days_s):
        nothing = np.empty(0)
        return Windows(nothing.astype(np.int64), nothing, nothing, nothing)
    start_s = clock.instant(days_s + clock_seconds(config.dispatch.start, "dispatch start"))
    end_s = clock.instant(days_s + clock_seconds(config.dispatch.end, "dispatch end"))
    for day, length_s in zip(days, end_s - start_s, strict=True):
        if length_s <= 0:
            raise ValueError(f"the clock skips the dispatch on {day}")
    told_s = start_s - config.dispatch.notice_minutes * _MINUTE_S
    return Windows(days_s // 86_400, told_s, start_s, end_s)


def acknowledges(config: FleetConfig, user: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Return which instructed cars answer."""
    return uniform(config.seed, "acknowledges", user, number) < config.dispatch.acknowledged_share


def dispatch_rows(
    windows: Windows,
    window: np.ndarray,
    event: int,
    user: np.ndarray,
    occurred_s: np.ndarray,
    energy_wh: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Return events of one kind as columns of the table dispatches.

    Args:
        windows: of the run.
        window: index of the window per element.
        event: index into `EVENTS`.
        user: number of the driver.
        occurred_s: instants.
        energy_wh: energy given back net of what was taken; None where the event has none.
    """
    if energy_wh is None:
        energy_wh = np.full(len(user), NO_ENERGY)
    return {
        "user": user,
        "dispatch": windows.number[window],
        "event": np.full(len(user), event, dtype=np.int8),
        "occurred_at": np.rint(occurred_s).astype(np.int64),
        "window_starts_at": windows.start_s[window].astype(np.int64),
        "window_ends_at": windows.end_s[window].astype(np.int64),
        "energy_wh": energy_wh.astype(np.int64),
    }


def answer_s(seed: int, user: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Return the whole seconds from an instruction to its acknowledgement."""
    return 1 + np.floor(_LONGEST_ANSWER_S * uniform(seed, "answer", user, number))
