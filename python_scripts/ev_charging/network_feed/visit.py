"""One driver's stop at a site: attempts one after the other, at one port or several."""

from typing import TYPE_CHECKING

from ev_charging.network_feed.attempt import (
    AUTHORIZE_FIRST,
    BREAKS,
    CACHED,
    CHARGES,
    LONE_REJECTION,
    LONE_REMOTE,
    NO_ENERGY,
    NO_POWER,
    OPEN,
    PLUG_IN_FIRST,
    REMOTE,
    STOPPED,
    WITHOUT_TRANSACTION,
    Attempt,
)
from ev_charging.network_feed.behaviour import (
    FAILURES,
    REFUSALS,
    ROOM_TO_BREAK_S,
    transaction_plan,
)
from ev_charging.network_feed.downtime import FAULTED, PortState, StationState
from ev_charging.network_feed.draws import Choices
from ev_charging.network_feed.instants import MINUTE_S, stamp
from ev_charging.network_feed.layout import OCPP_16

if TYPE_CHECKING:
    from ev_charging.network_feed.site import Driver, Simulation

VISIT_GAP_S = 30 * MINUTE_S
UNKNOWN_GAP_S = 2 * MINUTE_S
AUTHORIZE_S = 5 * MINUTE_S

# Drivers at a port, and attempts without transaction at a charger, keep a distance, so that
# nobody can take one for the other.
_PORT_PAUSE_S = 4 * MINUTE_S
_LONE_PAUSE_S = 10 * MINUTE_S
_QUIET_S = AUTHORIZE_S + 10
_DRIVER_PAUSE_S = VISIT_GAP_S + 10 * MINUTE_S
_ROOM_S, _ROOM_TO_JOIN_S = 30 * MINUTE_S, 180 * MINUTE_S

_STORIES = Choices(
    {
        "usual": 900,
        "stranger_first": 20,
        "stranger_just_before": 8,
        "stranger_between": 8,
        "stranger": 15,
        "strangers": 6,
        "strangers_apart": 6,
        "back_in_time": 8,
        "back_too_late": 8,
    }
)
_STRANGERS = ("stranger", "strangers", "strangers_apart")
_NEXT_STEPS = Choices({"join": 25, "same": 35, "next": 40})
_CAN_BE_JOINED = (NO_ENERGY, NO_POWER, STOPPED)
_RETRIES, _MOST_ATTEMPTS = 0.75, 4
_FAILURES, _MOST_FAILURES = 0.1, 0.6
_PLUGS_IN, _IS_NAMELESS_TRANSACTION, _OPEN_PLUG, _REFUSES = 0.4, 0.5, 0.3, 0.3


class Visit:
    """A stop of one driver, which may count as more than one visit."""

    def __init__(
        self,
        site: "Simulation",
        at: int,
        station: StationState,
        port: PortState,
        driver: "Driver",
    ) -> None:
        """Prepare the stop of a driver who comes to a free port."""
        self.site, self.at, self.driver = site, at, driver
        self.station, self.port = station, port
        self.draws = site.draws
        self.attempts: list[Attempt] = []

    def happen(self) -> None:
        """Let the driver try to charge, or let somebody come whom nobody knows."""
        story = self.draws.weighted(_STORIES)
        is_odd = story != "usual"
        if is_odd and not (self._shows_status and self._may_be_lone(self.at)):
            story = "usual"
        if story in _STRANGERS:
            self._strangers(story)
            return
        at = self.at
        if story in ("stranger_first", "stranger_just_before"):
            gap_s = UNKNOWN_GAP_S if "just" in story else self.draws.between(15, UNKNOWN_GAP_S - 1)
            at = self._nameless(at).ended_at + gap_s
        elif story == "stranger_between":
            failed = self._transact(NO_POWER, at, CACHED)
            nameless = self._nameless(failed.ended_at + self.draws.between(20, 600))
            at = nameless.ended_at + self.draws.between(15, UNKNOWN_GAP_S)
        self._try_to_charge(at)
        if story in ("back_in_time", "back_too_late"):
            self._come_back(story)
        self._close(self.attempts, self.driver.token)

    def stay_open(self) -> None:
        """Begin an attempt that goes on when the messages end."""
        is_lone = self._shows_status and self._may_be_lone(self.at)
        if is_lone and self.draws.chance(_OPEN_PLUG):
            self._plug_only(self.at, stays=True)
            self._close(self.attempts, None)
        else:
            self._transact(OPEN, self.at)
            self._close(self.attempts, self.driver.token)

    # --- stories ---

    def _strangers(self, story: str) -> None:
        first = self._plug_only(self.at)
        if story == "stranger":
            self._close([first], None)
            return
        is_apart = story == "strangers_apart"
        gap_s = UNKNOWN_GAP_S if is_apart else self.draws.between(20, UNKNOWN_GAP_S - 1)
        second = self._plug_only(first.ended_at + gap_s)
        for visit in ([first], [second]) if is_apart else ([first, second],):
            self._close(visit, None)

    def _nameless(self, at: int) -> Attempt:
        if self._is_16 or not self.draws.chance(_IS_NAMELESS_TRANSACTION):
            return self._plug_only(at)
        return self._transact(NO_POWER, at, PLUG_IN_FIRST, token=None)

    def _try_to_charge(self, at: int) -> None:
        """Try until it works or the driver gives up."""
        joins = None
        for number in range(1, _MOST_ATTEMPTS + 1):
            kind = self._kind(at, is_joined=joins is not None)
            at = self._earliest(at, kind in WITHOUT_TRANSACTION)
            step = self._next_step(kind, at) if number < _MOST_ATTEMPTS else None
            stays = step == "join"
            if kind in WITHOUT_TRANSACTION:
                last = self._lone(kind, at)
            else:
                # Whoever is authorised after the begin could seem to begin the next transaction.
                mode = CACHED if stays and not self._is_16 else None
                last = self._transact(kind, at, mode, joins=joins, stays=stays)
            if step is None:
                return
            joins = last.transaction_ended_at if stays else None
            left_at = last.transaction_ended_at if kind == BREAKS else last.ended_at
            at = left_at + self.draws.between(20, 200 if stays else 900)
            if not self._can_go_on(step, at):
                return

    def _kind(self, at: int, is_joined: bool) -> str:
        factor = self.station.station.failure_factor
        if not self.draws.chance(min(_FAILURES * factor, _MOST_FAILURES)):
            return CHARGES
        kind = self.draws.weighted(FAILURES)
        if kind in WITHOUT_TRANSACTION:
            is_apart = self._may_be_lone(self._earliest(at, True))
            return kind if is_apart and not is_joined else NO_POWER
        if kind == BREAKS and not (self._shows_status and self._room_s(at) > ROOM_TO_BREAK_S):
            return STOPPED
        return kind

    def _next_step(self, kind: str, at: int) -> str | None:
        """Return whether the driver tries again and where, None if not."""
        if kind == CHARGES or not self.draws.chance(_RETRIES):
            return None
        step = self.draws.weighted(_NEXT_STEPS)
        if kind == BREAKS:
            return "next"
        can_join = self._shows_status and kind in _CAN_BE_JOINED
        if step == "join" and not (can_join and self._room_s(at) > _ROOM_TO_JOIN_S):
            return "same"
        return step

    def _can_go_on(self, step: str, at: int) -> bool:
        """Go to the port of the next attempt, if there is one with time enough."""
        if step != "next":
            return self._room_s(at) > _ROOM_S
        place = self.site.free_place(at, _ROOM_S, besides=self.port)
        if place is not None:
            self.station, self.port = place
        return place is not None

    def _come_back(self, story: str) -> None:
        """Charge again, a second before the visit is over or when it just is."""
        at = max(attempt.ended_at for attempt in self.attempts) + VISIT_GAP_S
        if story == "back_in_time":
            at -= 1
        if self._room_s(at) <= _ROOM_S or not self._shows_status:
            return
        if story == "back_too_late":
            self._close(self.attempts, self.driver.token)
            self.attempts = []
        self._transact(CHARGES, at)

    # --- rules of distance ---

    @property
    def _is_16(self) -> bool:
        return self.station.station.model.protocol == OCPP_16

    @property
    def _shows_status(self) -> bool:
        return self.station.station.model.sends_status

    def _room_s(self, at: int) -> int:
        return self.port.room_s(at)

    def _may_be_lone(self, at: int) -> bool:
        return at >= self.station.lone_until

    def _earliest(self, at: int, is_lone: bool) -> int:
        """Return from when on an attempt can't be taken for one before it at this charger."""
        quiet = (
            attempt.anchor + _QUIET_S
            for attempt in self.attempts
            if attempt.charger_id == self.station.station.station_id
            and attempt.id_token is not None
            and (is_lone or attempt.transaction_id is None or attempt.binds_backwards)
        )
        return max([at, *quiet])

    # --- attempts ---

    def _transact(
        self,
        kind: str,
        at: int,
        mode: str | None = None,
        token: str | None = "",
        joins: int | None = None,
        stays: bool = False,
    ) -> Attempt:
        """Make an attempt with a transaction; an empty token stands for that of the driver."""
        port, evse_id = self.port, self.port.port.evse_id
        plan = transaction_plan(
            *(self.draws, self.station.station.model, kind, at),
            *(self.driver.token if token == "" else token, self._room_s(at)),
            *(mode, joins, stays),
        )
        if kind == OPEN:
            plan.ends_before = self.site.end
        attempt = self.station.messages.transact(evse_id, port.register_wh, plan)
        port.register_wh += plan.energy_wh or 0
        if kind == BREAKS:
            port.down.append((attempt.transaction_ended_at + 1, attempt.plugged_out_at, FAULTED))
        return self._keep(attempt)

    def _plug_only(self, at: int, stays: bool = False) -> Attempt:
        """Let somebody plug in, without a transaction and without saying who."""
        evse_id = self.port.port.evse_id
        plugged_out = None if stays else at + self.draws.between(20, 240)
        self.station.messages.plug(evse_id, at, plugged_out)
        charger_id = self.station.station.station_id
        return self._keep(
            Attempt(
                attempt_id=f"plug_in/{charger_id}/{evse_id}/{stamp(at)}",
                charger_id=charger_id,
                evse_id=evse_id,
                transaction_id=None,
                id_token=None,
                attempt_mode=PLUG_IN_FIRST,
                started_at=at,
                ended_at=plugged_out,
                outcome="open" if stays else "failed",
                failure_reason=None if stays else "not_started",
                anchor=at,
            )
        )

    def _lone(self, kind: str, at: int) -> Attempt:
        """Let the driver be authorised, or a start be asked for, without a transaction."""
        draws, messages, token = self.draws, self.station.messages, self.driver.token
        plugged_in = plugged_out = evse_id = None
        granted = at
        if self._shows_status and draws.chance(_PLUGS_IN):
            evse_id = self.port.port.evse_id
            if kind != LONE_REMOTE and draws.chance(0.5):
                plugged_in, granted = at, at + draws.between(10, 60)
            else:
                plugged_in = at + draws.between(10, 120)
            plugged_out = max(plugged_in, granted) + draws.between(30, 200)
            messages.plug(evse_id, plugged_in, plugged_out)
        if kind == LONE_REMOTE:
            refuses = evse_id is None and draws.chance(_REFUSES)
            status = "Rejected" if refuses else "Accepted"
            message_id = messages.remote_start(granted, evse_id, token, status)
        else:
            status = draws.weighted(REFUSALS) if kind == LONE_REJECTION else "Accepted"
            message_id = messages.authorize(granted, token, status)
        charger_id = self.station.station.station_id
        what = "remote_start" if kind == LONE_REMOTE else "authorize"
        is_rejected = kind == LONE_REJECTION
        return self._keep(
            Attempt(
                attempt_id=f"{what}/{charger_id}/{message_id}",
                charger_id=charger_id,
                evse_id=evse_id,
                transaction_id=None,
                id_token=token,
                attempt_mode=REMOTE if kind == LONE_REMOTE else AUTHORIZE_FIRST,
                started_at=granted if plugged_in is None else min(granted, plugged_in),
                ended_at=granted if plugged_out is None else plugged_out,
                outcome="failed",
                failure_reason="authorization_rejected" if is_rejected else "not_started",
                anchor=granted,
            )
        )

    def _keep(self, attempt: Attempt) -> Attempt:
        """Remember an attempt, and that the port and the charger need a pause after it."""
        end = self.site.end if attempt.ended_at is None else attempt.ended_at
        if attempt.evse_id is not None:
            self.port.free_at = end + _PORT_PAUSE_S
        if attempt.transaction_id is None or attempt.id_token is None:
            self.station.lone_until = end + _LONE_PAUSE_S
        self.attempts.append(attempt)
        return attempt

    def _close(self, attempts: list[Attempt], token: str | None) -> None:
        """End a visit by a driver, None if nobody knows by whom."""
        ordered = sorted(
            attempts,
            key=lambda one: (one.started_at, one.transaction_id is not None, one.attempt_id),
        )
        for number, attempt in enumerate(ordered, start=1):
            attempt.visit_id = ordered[0].attempt_id
            attempt.attempt_number = number
            attempt.is_last_attempt = number == len(ordered)
            attempt.driver_token = token
            attempt.is_driver_inferred = attempt.id_token is None and token is not None
        self.site.visits.append(ordered)
        ends = [self.site.end if one.ended_at is None else one.ended_at for one in ordered]
        self.driver.free_at = max(ends) + _DRIVER_PAUSE_S
