"""When things happen in an attempt with a transaction, the same for both protocols."""

from dataclasses import dataclass

from ev_charging.network_feed.attempt import (
    AUTHORIZE_FIRST,
    BREAKS,
    CHARGES,
    NO_ENERGY,
    OPEN,
    REMOTE,
    STOPPED,
    VALID_STOPS,
    Attempt,
    Plan,
    outcome_of,
)
from ev_charging.network_feed.draws import Draws
from ev_charging.network_feed.metering import Metering

_REACH_POWER = (CHARGES, NO_ENERGY, STOPPED, BREAKS, OPEN)


@dataclass(slots=True)
class Timeline:
    """Instants of an attempt, None for what doesn't happen.

    Attributes:
        plugged_in: the status of the port says that a vehicle came.
        granted: Authorize, or the start asked for from afar.
        begin: begin of the transaction.
        power: begin of charging.
        full: energy ceases to flow while the transaction goes on.
        end: end of the transaction.
        plugged_out: the status of the port says that the vehicle is gone.
    """

    plugged_in: int | None
    granted: int | None
    begin: int
    power: int | None
    full: int | None
    end: int | None
    plugged_out: int | None


def timeline(plan: Plan, draws: Draws, begins_at_plug_in: bool = False) -> Timeline:
    """Return the instants of a plan.

    Args:
        plan: what is going to happen.
        draws: random numbers.
        begins_at_plug_in: whether the transaction begins with the plug-in, before the driver is
            known, if the driver plugs in first.
    """
    start = plan.start
    granted = None
    is_plugged = plan.joins is not None
    plugged_in = None if is_plugged else start
    if plan.mode in (AUTHORIZE_FIRST, REMOTE):
        if is_plugged:
            granted = start
            begin = granted + draws.between(3, 8)
        elif plan.plugs_first:
            granted = start + draws.between(12, 80)
            begin = start + draws.between(2, 4) if begins_at_plug_in else granted + 4
        else:
            granted = start
            plugged_in = granted + draws.between(5, 60)
            begin = plugged_in + draws.between(3, 8)
    else:
        begin = start + draws.between(2, 6)
    ready = begin if granted is None else max(begin, granted)
    power = ready + draws.between(8, 25) if plan.kind in _REACH_POWER else None
    if plan.kind == OPEN:
        return Timeline(plugged_in, granted, begin, power, None, None, None)
    ceases = (power or ready + 4) + plan.charging_s
    full = ceases if power is not None and plan.idle_s > 0 else None
    end = ceases + plan.idle_s
    plugged_out = None if plan.stays else end + plan.lingers_s
    return Timeline(plugged_in, granted, begin, power, full, end, plugged_out)


def attempt_of(
    charger_id: str,
    evse_id: int,
    transaction: str,
    protocol: str,
    plan: Plan,
    times: Timeline,
    metering: Metering,
    shows_status: bool = True,
) -> Attempt:
    """Return what happened in a transaction, as far as messages can show it.

    A charger that doesn't report the status of its ports shows neither plug-in nor plug-out nor
    when charging begins.
    """
    if shows_status:
        plugged_in = plan.joins if times.plugged_in is None else times.plugged_in
        plugged_out, power = times.plugged_out, times.power
    else:
        plugged_in, plugged_out, power = times.begin, times.end, None
    outcome, reason = outcome_of(plan, power is not None)
    is_metered = plan.energy_wh is not None
    is_measured = is_metered and (times.end is not None or bool(metering.samples))
    energy_wh = metering.end_wh - metering.begin_wh if is_measured else None
    stop_reason = None if times.end is None else plan.stop_reason or "Local"
    soc_start_pct, soc_end_pct = metering.soc_pct() if is_metered else (None, None)
    known = (instant for instant in (plugged_in, times.granted, times.begin) if instant is not None)
    return Attempt(
        attempt_id=f"transaction/{charger_id}/{transaction}",
        charger_id=charger_id,
        evse_id=evse_id,
        transaction_id=transaction,
        id_token=plan.token,
        attempt_mode=plan.mode,
        started_at=min(known),
        ended_at=times.end if plugged_out is None else plugged_out,
        outcome=outcome,
        failure_reason=reason,
        power_started_at=power,
        stop_reason=stop_reason,
        energy_wh=energy_wh,
        has_power_delivery=power is not None if shows_status else bool(energy_wh),
        has_valid_stop=stop_reason in VALID_STOPS,
        protocol=protocol,
        plugged_in_at=plugged_in,
        plugged_out_at=plugged_out,
        transaction_started_at=times.begin,
        transaction_ended_at=times.end,
        max_power_w=metering.max_power_w if is_metered else None,
        soc_start_pct=soc_start_pct,
        soc_end_pct=soc_end_pct,
        anchor=max(times.begin, times.granted or 0),
        binds_backwards=plan.mode == AUTHORIZE_FIRST and times.granted > times.begin,
    )
