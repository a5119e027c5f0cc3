"""The simulator: a fleet, day after day, from who drives where to what the meter shows.

Every stay at home is followed exactly, from one change to the next; the step only says how often
the meter is read. All drivers go through a day together, as arrays.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ev_charging.simulation import dispatch, events, telemetry
from ev_charging.simulation.archetypes import Archetype, check_archetypes
from ev_charging.simulation.behaviour import LONGEST_STAY_DAYS, Behaviour, Outings
from ev_charging.simulation.clock import DAY_S, LocalClock, day_start_s
from ev_charging.simulation.config import Dispatch, FleetConfig
from ev_charging.simulation.controllers import Request, controller_of
from ev_charging.simulation.physics import HOUR_S, LOSSLESS, REAL, ChargeCurve
from ev_charging.simulation.plan import Plan
from ev_charging.simulation.population import draw_population
from ev_charging.simulation.recorder import Recorder, Tables

__all__ = ["STATES", "Dispatch", "Fleet", "FleetConfig", "Tables"]

STATES = telemetry.STATES
OPEN = -1
NOT_CHARGED = -1
_MINUTE_S = 60
# A battery that would be emptier than the floor on the way is charged there, up to the other.
_FLOOR_SOC, _TOPPED_UP_SOC = 0.08, 0.35


@dataclass(frozen=True)
class Legs:
    """Parts of stays without a change of the rules; one element per leg.

    Attributes:
        stay: index of the stay.
        start_s: begin, an instant.
        end_s: end, at most the end of the stay.
    """

    stay: np.ndarray
    start_s: np.ndarray
    end_s: np.ndarray


class Stays:
    """Stays that begin together, and what becomes of them; one element per stay."""

    def __init__(
        self,
        driver: np.ndarray,
        plugged_in_s: np.ndarray,
        departure_s: np.ndarray,
        expected_departure_s: np.ndarray,
        run_end_s: float,
    ) -> None:
        self.driver = driver
        self.plugged_in_s = plugged_in_s
        self.expected_departure_s = expected_departure_s
        self.is_open = departure_s > run_end_s
        self.end_s = np.minimum(departure_s, run_end_s)
        self.started_s = np.full(len(driver), NOT_CHARGED, dtype=np.int64)
        self.stopped_s = np.full(len(driver), NOT_CHARGED, dtype=np.int64)
        self.charging_s = np.zeros(len(driver), dtype=np.int64)


class Fleet:
    """A run of the simulator."""

    def __init__(
        self, config: FleetConfig, archetypes: list[Archetype], prices: pd.DataFrame
    ) -> None:
        """Prepare a run.

        Args:
            config: what is asked for.
            archetypes: kinds of drivers; checked.
            prices: columns zone, starts_at (UTC), minutes, eur_per_mwh; the smart controller
                reads those of the run's zone, from the warm-up to two days after the end.

        Raises:
            ValueError: archetypes or prices can't be.
        """
        check_archetypes(archetypes)
        self.config = config
        self._names = np.array([archetype.name for archetype in archetypes])
        self._people = people = draw_population(config, archetypes)
        self._first_day_s = day_start_s(config.start) - config.warm_up_days * DAY_S
        days = config.warm_up_days + config.days
        first_day = pd.Timestamp(self._first_day_s, unit="s").date()
        self._clock = clock = LocalClock(config.time_zone, first_day, days + LONGEST_STAY_DAYS)
        self._behaviour = Behaviour(config, people, clock)
        self._controller = controller_of(config, clock, prices[prices["zone"] == config.zone])
        self._windows = dispatch.windows_of(config, clock)
        self._physics = LOSSLESS if config.mode == "sketch" else REAL
        self._floor_soc = 0.0 if config.mode == "sketch" else _FLOOR_SOC
        self.run_start_s, self.run_end_s = (
            float(clock.instant(np.array(day_start_s(config.start) + day * DAY_S)))
            for day in (0, config.days)
        )
        self._soc = people.first_soc.copy()
        self._import_kwh = people.first_register_kwh.copy()
        self._export_kwh = np.zeros(len(people.user))
        # of the battery, for the balance: charged, given away, driven, topped up elsewhere
        self._balance_kwh = np.zeros(len(people.user))
        self._recorder = Recorder()

    def users(self) -> dict[str, np.ndarray]:
        """Return the drivers as columns of the table users."""
        people = self._people
        return {
            "user": people.user,
            "archetype": self._names[people.archetype],
            "battery_kwh": people.battery_kwh,
            "charger_kw": people.charger_kw,
            "target_soc_pct": 100 * people.target_soc,
            "reserve_soc_pct": 100 * people.reserve_soc,
            "km_per_kwh": people.km_per_kwh,
        }

    def days(self) -> Iterator[Tables]:
        """Simulate the warm-up, then yield the tables of each local day of the run.

        A stay comes with the day on which it begins, one of the warm-up that lasts into the run
        with the first. Tables without rows are left out. To be called once.
        """
        for number in range(-self.config.warm_up_days, self.config.days):
            self._day(self._first_day_s + (number + self.config.warm_up_days) * DAY_S)
            if number >= 0:
                yield self._recorder.taken()

    def residual_kwh(self) -> float:
        """Return the largest difference between energy and state of charge of a vehicle so far."""
        people = self._people
        stored_kwh = (self._soc - people.first_soc) * people.battery_kwh
        return float(np.abs(self._balance_kwh - stored_kwh).max())

    def _day(self, day_s: int) -> None:
        outings = self._behaviour.outings(day_s)
        # a stay after an outing lasts until the next one, of this day or of another
        departures = [self._behaviour.next_departure()]
        for later in reversed(outings[1:]):
            departures.insert(0, np.where(later.leaves, later.leave_s, departures[0]))
        for number, (outing, departure_s) in enumerate(zip(outings, departures, strict=True)):
            self._outing(day_s, number, outing, departure_s)

    def _outing(self, day_s: int, number: int, outing: Outings, departure_s: np.ndarray) -> None:
        driver = np.flatnonzero(outing.leaves & (outing.return_s < self.run_end_s))
        self._drive(driver, outing)
        plugs_in = self._behaviour.plugs_in(driver, number, day_s, self._soc[driver])
        driver = driver[plugs_in]
        plugged_in_s = outing.return_s[driver]
        if driver.size:
            self._stay(
                Stays(
                    driver,
                    plugged_in_s,
                    np.maximum(departure_s[driver], plugged_in_s + _MINUTE_S),
                    self._behaviour.expected_departure(driver, plugged_in_s),
                    self.run_end_s,
                )
            )

    def _drive(self, driver: np.ndarray, outing: Outings) -> None:
        people = self._people
        distance_km = outing.distance_km[driver]
        driving_kwh = distance_km / people.km_per_kwh[driver]
        battery_kwh = people.battery_kwh[driver]
        before = self._soc[driver]
        public_kwh = people.away_share[driver] * driving_kwh
        after = before - (driving_kwh - public_kwh) / battery_kwh
        # who would not get home charges on the way, or before leaving
        is_short = after < self._floor_soc
        topped_up = np.maximum(_TOPPED_UP_SOC - after, 0.0) * battery_kwh
        public_kwh = public_kwh + np.where(is_short, topped_up, 0.0)
        after = before + (public_kwh - driving_kwh) / battery_kwh
        self._soc[driver] = after
        self._balance_kwh[driver] += public_kwh - driving_kwh
        is_kept = outing.leave_s[driver] >= self.run_start_s
        self._recorder.keep(
            "trips",
            {
                "user": people.user[driver],
                "departed_at": np.where(is_kept, outing.leave_s[driver], 0).astype(np.int64),
                "arrived_at": outing.return_s[driver].astype(np.int64),
                "distance_km": distance_km,
                "driving_kwh": driving_kwh,
                "public_kwh": public_kwh,
                "soc_start_pct": 100 * before,
                "soc_end_pct": 100 * after,
            },
            is_kept,
        )

    def _stay(self, stays: Stays) -> None:
        """Follow stays from plug-in to plug-out, or to the end of the run."""
        people, driver = self._people, stays.driver
        is_kept = stays.end_s > self.run_start_s
        soc_start = self._soc[driver]
        import_start, export_start = self._import_kwh[driver], self._export_kwh[driver]
        self._log(events.PLUG_IN, driver, stays.plugged_in_s, soc_start, is_kept)

        legs = Legs(np.arange(len(driver)), stays.plugged_in_s, stays.end_s)
        while legs.stay.size:
            legs = self._until_window(stays, legs, is_kept)

        self._log(events.PLUG_OUT, driver, stays.end_s, self._soc[driver], is_kept & ~stays.is_open)
        imported, exported = (
            events.watt_hours(now[driver]) - events.watt_hours(before)
            for now, before in (
                (self._import_kwh, import_start),
                (self._export_kwh, export_start),
            )
        )
        self._recorder.keep(
            "session_truth",
            {
                "user": people.user[driver],
                "plugged_in_at": stays.plugged_in_s.astype(np.int64),
                "plugged_out_at": np.where(stays.is_open, OPEN, stays.end_s).astype(np.int64),
                "expected_departure_at": np.rint(stays.expected_departure_s).astype(np.int64),
                "charging_started_at": stays.started_s,
                "charging_ended_at": stays.stopped_s,
                "charging_seconds": stays.charging_s,
                "import_wh": imported,
                "export_wh": exported,
                "soc_start_pct": 100 * soc_start,
                "soc_end_pct": 100 * self._soc[driver],
            },
            is_kept,
        )

    def _until_window(self, stays: Stays, legs: Legs, is_kept: np.ndarray) -> Legs:
        """Follow legs through the next window that they answer; return what remains after it."""
        curve, plan = self._planned(stays, legs)
        window = self._next_answered(stays, legs, curve, plan, is_kept)
        is_called = window < len(self._windows.start_s)
        start_s, end_s = (
            np.append(instants, np.inf)[window]
            for instants in (self._windows.start_s, self._windows.end_s)
        )
        before = _select(legs, end_s=np.minimum(legs.end_s, start_s))
        self._charge(stays, before, curve, plan, is_kept)

        is_called &= legs.end_s > start_s
        called = _select(legs, is_called, start_s=start_s, end_s=np.minimum(legs.end_s, end_s))
        if called.stay.size:
            self._give(stays, called, window[is_called], is_kept)
        return _select(legs, legs.end_s > end_s, start_s=end_s)

    def _planned(self, stays: Stays, legs: Legs) -> tuple[ChargeCurve, Plan]:
        """Return how the cars of legs charge, and when the controller lets them."""
        people, driver = self._people, stays.driver[legs.stay]
        curve = ChargeCurve(
            self._physics,
            self._soc[driver],
            people.target_soc[driver],
            people.battery_kwh[driver],
            people.charger_kw[driver],
        )
        request = Request(
            people.user[driver],
            legs.start_s,
            stays.expected_departure_s[legs.stay],
            curve.seconds,
            people.charger_kw[driver],
        )
        return curve, self._controller(request)

    def _next_answered(
        self, stays: Stays, legs: Legs, curve: ChargeCurve, plan: Plan, is_kept: np.ndarray
    ) -> np.ndarray:
        """Return the next window that each leg's car acts on; the number of windows for none.

        Logs the instructions up to there, and the answers.
        """
        windows = self._windows
        window = windows.next_for(stays.plugged_in_s[legs.stay], legs.start_s)
        told_s = np.append(windows.told_s, np.inf)
        leg = np.flatnonzero(told_s[window] < legs.end_s)
        while leg.size:
            stay, at = legs.stay[leg], window[leg]
            driver = stays.driver[stay]
            user = self._people.user[driver]
            number = windows.number[at]
            answers = dispatch.acknowledges(self.config, user, number)
            charged_s = plan.of(leg).used(told_s[at], curve.seconds[leg]).lengths().sum(axis=1)
            soc, _ = curve.at(leg, charged_s)
            hours = (windows.end_s - windows.start_s)[at] / HOUR_S
            asked_wh = events.watt_hours(self._can_give_kwh(driver, soc, hours))
            keep = is_kept[stay]
            answered_s = told_s[at] + dispatch.answer_s(self.config.seed, user, number)
            for event, occurred_s, energy_wh, is_row in (
                (dispatch.INSTRUCTED, told_s[at], asked_wh, keep),
                (dispatch.ACKNOWLEDGED, answered_s, None, keep & answers),
            ):
                rows = dispatch.dispatch_rows(windows, at, event, user, occurred_s, energy_wh)
                self._recorder.keep("dispatches", rows, is_row)
            leg = leg[~answers]
            window[leg] += 1
            leg = leg[told_s[window[leg]] < legs.end_s[leg]]
        # beyond the end of the leg no window is answered
        return np.where(told_s[window] < legs.end_s, window, len(windows.start_s))

    def _can_give_kwh(self, driver: np.ndarray, soc: np.ndarray, hours: np.ndarray) -> np.ndarray:
        """Return what cars can give back in a time, down to their reserve; nothing in a pause."""
        if self.config.dispatch.mode == "pause":
            return np.zeros(len(driver))
        people = self._people
        spare_kwh = np.maximum(soc - people.reserve_soc[driver], 0.0) * people.battery_kwh[driver]
        return np.minimum(
            spare_kwh * self._physics.discharging_efficiency, people.charger_kw[driver] * hours
        )

    def _charge(
        self, stays: Stays, legs: Legs, curve: ChargeCurve, plan: Plan, is_kept: np.ndarray
    ) -> None:
        """Let the cars of legs charge by their plans."""
        people, driver = self._people, stays.driver[legs.stay]
        plan = plan.used(legs.end_s, curve.seconds)
        is_row = is_kept[legs.stay]
        import_kwh, export_kwh = self._import_kwh[driver], self._export_kwh[driver]
        if is_row.any():
            row = np.flatnonzero(is_row)
            self._recorder.keep(
                "telemetry",
                telemetry.charging_rows(
                    people.user[driver[row]],
                    legs.start_s[row],
                    legs.end_s[row],
                    self.config.step_minutes * _MINUTE_S,
                    curve,
                    row,
                    plan,
                    import_kwh[row],
                    export_kwh[row],
                ),
            )
            self._log_charges(stays, legs, curve, plan, is_row)
        charged_s = plan.lengths().sum(axis=1)
        soc, energy_kwh = curve.at(np.arange(len(driver)), charged_s)
        loss_kwh = self._physics.standing_loss_kw * charged_s / HOUR_S
        self._balance_kwh[driver] += self._physics.gain * energy_kwh - loss_kwh
        self._soc[driver] = soc
        self._import_kwh[driver] = import_kwh + energy_kwh

    def _log_charges(
        self, stays: Stays, legs: Legs, curve: ChargeCurve, plan: Plan, is_row: np.ndarray
    ) -> None:
        """Log when charging starts and stops, and keep it with the stay."""
        lengths = plan.lengths()
        leg, span = np.nonzero((lengths > 0) & is_row[:, None])
        charged_s = np.cumsum(lengths, axis=1)[leg, span]
        starts, stops = plan.starts[leg, span], plan.ends[leg, span]
        # what is shorter than the clock of the charger shows is no charge
        is_seen = np.rint(stops) > np.rint(starts)
        leg, span, charged_s, starts, stops = (
            values[is_seen] for values in (leg, span, charged_s, starts, stops)
        )
        stay = legs.stay[leg]
        driver = stays.driver[stay]
        # the end of the run stops no charge
        goes_on = stays.is_open[stay] & (stops >= self.run_end_s)
        for event, instants, seconds, is_logged in (
            (events.CHARGE_START, starts, charged_s - lengths[leg, span], None),
            (events.CHARGE_STOP, stops, charged_s, ~goes_on),
        ):
            soc, energy_kwh = curve.at(leg, seconds)
            self._log(
                event, driver, instants, soc, is_logged, self._import_kwh[driver] + energy_kwh
            )
        starts, stops = (np.rint(instants).astype(np.int64) for instants in (starts, stops))
        is_new = stays.started_s[stay] == NOT_CHARGED
        # spans come in order within a leg: the first one of a stay is the one that is written last
        stays.started_s[stay[is_new][::-1]] = starts[is_new][::-1]
        stays.stopped_s[stay[~goes_on]] = stops[~goes_on]
        np.add.at(stays.charging_s, stay[~goes_on], (stops - starts)[~goes_on])

    def _give(self, stays: Stays, called: Legs, window: np.ndarray, is_kept: np.ndarray) -> None:
        """Let cars give energy back down to their reserve, or take none, until the legs' end."""
        people, driver = self._people, stays.driver[called.stay]
        battery_kwh, soc = people.battery_kwh[driver], self._soc[driver]
        efficiency = self._physics.discharging_efficiency
        hours = (called.end_s - called.start_s) / HOUR_S
        given_kwh = self._can_give_kwh(driver, soc, hours)
        import_kwh, export_kwh = self._import_kwh[driver], self._export_kwh[driver]
        row = np.flatnonzero(is_kept[called.stay])
        soc_per_kwh = 1 / (efficiency * battery_kwh)
        self._recorder.keep(
            "telemetry",
            telemetry.exporting_rows(
                people.user[driver[row]],
                called.start_s[row],
                called.end_s[row],
                self.config.step_minutes * _MINUTE_S,
                people.charger_kw[driver[row]],
                given_kwh[row],
                soc[row],
                soc_per_kwh[row],
                import_kwh[row],
                export_kwh[row],
            ),
        )
        self._soc[driver] = soc - given_kwh * soc_per_kwh
        self._export_kwh[driver] = export_kwh + given_kwh
        self._balance_kwh[driver] -= given_kwh / efficiency
        metered_wh = events.watt_hours(export_kwh + given_kwh) - events.watt_hours(export_kwh)
        rows = dispatch.dispatch_rows(
            self._windows,
            window,
            dispatch.METERED,
            people.user[driver],
            self._windows.end_s[window],
            metered_wh,
        )
        self._recorder.keep("dispatches", rows, is_kept[called.stay])

    def _log(
        self,
        event: int,
        driver: np.ndarray,
        instants: np.ndarray,
        soc: np.ndarray,
        is_row: np.ndarray | None,
        import_kwh: np.ndarray | None = None,
    ) -> None:
        rows = events.plug_events(
            self.config.seed,
            event,
            self._people.user[driver],
            instants,
            soc,
            self._import_kwh[driver] if import_kwh is None else import_kwh,
            self._export_kwh[driver],
        )
        self._recorder.keep("plug_events", rows, is_row)


def _select(
    legs: Legs,
    is_kept: np.ndarray | None = None,
    start_s: np.ndarray | None = None,
    end_s: np.ndarray | None = None,
) -> Legs:
    """Return some of the legs, with other begins or ends."""
    start_s = legs.start_s if start_s is None else start_s
    end_s = legs.end_s if end_s is None else end_s
    if is_kept is None:
        return Legs(legs.stay, start_s, end_s)
    return Legs(legs.stay[is_kept], start_s[is_kept], end_s[is_kept])
