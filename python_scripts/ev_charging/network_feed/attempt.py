"""A charge attempt: what a driver is about to do, and what came of it."""

from dataclasses import dataclass

CACHED, REMOTE, AUTHORIZE_FIRST, PLUG_IN_FIRST = (
    *("cached_authorization", "remote_start"),
    *("authorize_first", "plug_in_first"),
)

# What happens in an attempt with a transaction ...
CHARGES, NO_ENERGY, NO_POWER, STOPPED, REJECTED, BREAKS, OPEN = (
    *("charges", "no_energy", "no_power", "stopped", "rejected", "breaks", "open"),
)
# ... and in one without.
LONE_AUTHORIZE, LONE_REJECTION, LONE_REMOTE = WITHOUT_TRANSACTION = (
    *("lone_authorize", "lone_rejection", "lone_remote"),
)

VALID_STOPS = frozenset(
    (
        *("EnergyLimitReached", "SOCLimitReached", "Local", "Remote", "StoppedByEV"),
        *("LocalOutOfCredit", "TimeLimitReached", "EVDisconnected"),
    )
)


@dataclass(slots=True)
class Plan:
    """What is going to happen; durations in seconds.

    Attributes:
        kind: one of the kinds above.
        mode: how the driver starts the charge.
        token: token of the driver, None if no message names it.
        start: when the driver acts first, or the charger if the vehicle is still plugged in.
        plugs_first: whether the driver plugs in before anything else.
        token_status: answer of the back office to the token.
        stop_reason: reason of the stop, None if the message leaves it out.
        charging_s: from the begin of charging until energy ceases to flow.
        idle_s: from then until the stop.
        lingers_s: from the stop until plug-out.
        energy_wh: energy, None if the meter is not read.
        soc_pct: state of charge at the begin, None if the vehicle doesn't tell.
        joins: end of the transaction before in the same plug-in, None for the first one.
        stays: whether the vehicle stays plugged in for another transaction.
        ends_before: when the messages of an open attempt cease.
    """

    kind: str
    mode: str
    token: str | None
    start: int
    plugs_first: bool = True
    token_status: str = "Accepted"
    stop_reason: str | None = None
    charging_s: int = 0
    idle_s: int = 0
    lingers_s: int = 30
    energy_wh: int | None = 0
    soc_pct: int | None = None
    joins: int | None = None
    stays: bool = False
    ends_before: int | None = None


@dataclass(slots=True)
class Attempt:
    """What happened, as the definitions of the warehouse put it; instants are seconds since 1970.

    `plugged_in_at` to `soc_end_pct` describe the transaction as a charging session. `anchor` is
    when the driver was last authorised or the transaction began, and `binds_backwards` says that
    the former came later.
    """

    attempt_id: str
    charger_id: str
    evse_id: int | None
    transaction_id: str | None
    id_token: str | None
    attempt_mode: str
    started_at: int
    ended_at: int | None
    outcome: str
    failure_reason: str | None = None
    power_started_at: int | None = None
    stop_reason: str | None = None
    energy_wh: int | None = None
    has_power_delivery: bool = False
    has_valid_stop: bool = False
    protocol: str | None = None
    plugged_in_at: int | None = None
    plugged_out_at: int | None = None
    transaction_started_at: int | None = None
    transaction_ended_at: int | None = None
    max_power_w: int | None = None
    soc_start_pct: int | None = None
    soc_end_pct: int | None = None
    anchor: int = 0
    binds_backwards: bool = False
    driver_token: str | None = None
    is_driver_inferred: bool = False
    visit_id: str = ""
    attempt_number: int = 0
    is_last_attempt: bool = False


def outcome_of(plan: Plan, reached_power: bool) -> tuple[str, str | None]:
    """Return outcome and failure reason of an attempt with a transaction."""
    if plan.kind == OPEN:
        return "open", None
    if plan.kind == CHARGES:
        return "succeeded", None
    if plan.kind == REJECTED:
        return "failed", "authorization_rejected"
    if plan.kind in (STOPPED, BREAKS):
        return "failed", f"stopped: {plan.stop_reason}"
    return "failed", "no_energy" if reached_power else "no_power"
