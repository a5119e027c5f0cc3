"""What a run of the simulator is asked for, and whether that can be."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ev_charging.simulation.archetypes import clock_seconds

MODES = ("sketch", "calibrated")
CONTROLLERS = ("uncontrolled", "scheduled", "smart")
DISPATCH_MODES = ("drain", "pause")
STEPS = (1, 5, 15, 30)
_MOST_USERS = 100_000_000
_MOST_DAYS = 3_660


@dataclass(frozen=True)
class Dispatch:
    """A market's call for energy in one window of the day, wrapped around a controller.

    Attributes:
        mode: drain (give back down to the reserve) or pause (take nothing).
        start: local time at which the window begins, HH:MM.
        end: local time at which it ends.
        dates: local days of the window; none for every `default_dates`.
        notice_minutes: how long before the window cars are instructed.
        acknowledged_share: how many of the instructed cars answer, and act.
    """

    mode: str = "drain"
    start: str = "17:00"
    end: str = "18:00"
    dates: tuple[date, ...] = ()
    notice_minutes: int = 15
    acknowledged_share: float = 0.95


@dataclass(frozen=True)
class FleetConfig:
    """One run: which drivers, when, under which controller.

    Attributes:
        users: number of drivers.
        first_user: number of the first one; a driver is the same in every run of a seed.
        days: local days.
        start: first local day.
        seed: of the random numbers.
        mode: sketch (archetypes to the letter) or calibrated (people as they are).
        controller: one of `CONTROLLERS`.
        dispatch: a market's windows around it.
        step_minutes: length of the intervals of the telemetry.
        zone: price zone.
        time_zone: IANA name of the clock that the drivers live by.
        warm_up_days: days simulated before the first and thrown away.
        jitter_minutes: longest random delay of a planned charge.
        cap_kw_per_car: power that the smart controller plans with per car of the fleet.
        scheduled_start: local time from which the scheduled controller charges, HH:MM.
        archetype_shares: shares of the archetypes in their order, in place of their own.
    """

    users: int = 1_000
    first_user: int = 0
    days: int = 28
    start: date = date(2024, 10, 7)
    seed: int = 42
    mode: str = "calibrated"
    controller: str = "uncontrolled"
    dispatch: Dispatch | None = None
    step_minutes: int = 30
    zone: str = "NO3"
    time_zone: str = "Europe/Oslo"
    warm_up_days: int = 7
    jitter_minutes: float = 0
    cap_kw_per_car: float | None = None
    scheduled_start: str = "00:30"
    archetype_shares: Sequence[float] | None = None

    def __post_init__(self) -> None:
        """Refuse what can't be.

        Raises:
            ValueError: the first fault, with the field and its value.
        """
        _within("users", self.users, 1, _MOST_USERS)
        _within("first_user", self.first_user, 0, _MOST_USERS)
        _within("days", self.days, 1, _MOST_DAYS)
        _within("seed", self.seed, 0, 2**63 - 1)
        _within("warm_up_days", self.warm_up_days, 0, 365)
        _within("jitter_minutes", self.jitter_minutes, 0, 240)
        _one_of("mode", self.mode, MODES)
        _one_of("controller", self.controller, CONTROLLERS)
        _one_of("step_minutes", self.step_minutes, STEPS)
        if not re.fullmatch(r"[A-Za-z0-9-]+", self.zone):
            raise ValueError(f"zone must be the code of a price zone, not {self.zone!r}")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"time_zone is unknown: {self.time_zone}") from None
        clock_seconds(self.scheduled_start, "scheduled_start")
        if self.cap_kw_per_car is not None:
            _within("cap_kw_per_car", self.cap_kw_per_car, 0.01, 400)
            if self.controller != "smart":
                raise ValueError("cap_kw_per_car needs the smart controller, which plans with it")
        if self.jitter_minutes and self.controller == "uncontrolled":
            raise ValueError("jitter_minutes needs a controller that plans: scheduled or smart")
        if self.dispatch is not None:
            self._check_dispatch(self.dispatch)

    def dispatch_dates(self) -> tuple[date, ...]:
        """Return the local days with a window of the market, in order and each once."""
        if self.dispatch is None:
            return ()
        return tuple(sorted(set(self.dispatch.dates or default_dates(self.start, self.days))))

    def _check_dispatch(self, dispatch: Dispatch) -> None:
        _one_of("dispatch mode", dispatch.mode, DISPATCH_MODES)
        start_s = clock_seconds(dispatch.start, "dispatch start")
        end_s = clock_seconds(dispatch.end, "dispatch end")
        if end_s <= start_s:
            raise ValueError(f"dispatch must end after {dispatch.start}, not at {dispatch.end}")
        if start_s % 1800 or end_s % 1800:
            raise ValueError("dispatch must start and end on a half-hour, as the market settles")
        _within("dispatch notice_minutes", dispatch.notice_minutes, 1, 24 * 60)
        _within("dispatch acknowledged_share", dispatch.acknowledged_share, 0, 1)
        if not self.dispatch_dates():
            raise ValueError(
                "dispatch has no date: there is no Tuesday or Thursday in the second half of the"
                f" {self.days} days from {self.start}"
            )
        last = self.start + timedelta(days=self.days - 1)
        for day in dispatch.dates:
            if not self.start <= day <= last:
                raise ValueError(
                    f"dispatch date {day} lies outside the run, {self.start} to {last}"
                )


def default_dates(start: date, days: int) -> tuple[date, ...]:
    """Return the Tuesdays and Thursdays of the second half of a run.

    The first half and the other weekdays are what a baseline is made of.
    """
    second_half = (start + timedelta(days=day) for day in range(days // 2, days))
    return tuple(day for day in second_half if day.weekday() in (1, 3))


def _within(name: str, value: float, lowest: float, highest: float) -> None:
    if not lowest <= value <= highest:
        raise ValueError(f"{name} must lie between {lowest:,} and {highest:,}, not {value:,}")


def _one_of(name: str, value: object, known: Sequence) -> None:
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(map(str, known))}, not {value}")
