"""Telemetry: what a meter that is read on the half-hour, or in other steps, shows of a stay."""

import numpy as np

from ev_charging.simulation.events import watt_hours
from ev_charging.simulation.physics import HOUR_S, ChargeCurve
from ev_charging.simulation.plan import Plan

STATES = ("idle", "charging", "exporting")
IDLE, CHARGING, EXPORTING = range(len(STATES))


class Intervals:
    """The intervals of the clock that spans of time lie in, cut at their begins and ends.

    Attributes:
        span: index of the span per interval.
        starts_s: begin of each interval, seconds.
        ends_s: its end.
        is_first: whether it is the first one of its span.
    """

    def __init__(self, start_s: np.ndarray, end_s: np.ndarray, step_s: int) -> None:
        """Cut spans, each from a whole second to a later one, into steps of the clock."""
        first = start_s.astype(np.int64) // step_s
        count = -(-end_s.astype(np.int64) // step_s) - first
        self.count = count
        self.span = np.repeat(np.arange(len(count)), count)
        offset = np.cumsum(count) - count
        step = np.arange(len(self.span)) + np.repeat(first - offset, count)
        self.ends_s = (step + 1) * step_s
        last = offset + count - 1
        self.ends_s[last] = end_s
        self.is_first = np.zeros(len(self.span), dtype=bool)
        self.is_first[offset] = True
        self.starts_s = step * step_s
        self.starts_s[offset] = start_s


def previous(values: np.ndarray, is_first: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return the value before each, and for the first one of a span the span's own."""
    before = np.empty_like(values)
    before[1:] = values[:-1]
    before[is_first] = first
    return before


def charging_rows(
    user: np.ndarray,
    start_s: np.ndarray,
    end_s: np.ndarray,
    step_s: int,
    curve: ChargeCurve,
    car: np.ndarray,
    plan: Plan,
    import_kwh: np.ndarray,
    export_kwh: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return the table telemetry of spans in which cars charge by a plan, or wait.

    Args:
        user: number of the driver per span.
        start_s: begin per span, whole seconds.
        end_s: end per span.
        step_s: length of an interval.
        curve: how cars charge.
        car: index per span into curve and plan.
        plan: when cars charge, as used.
        import_kwh: import register at the begin.
        export_kwh: export register at the begin.
    """
    rows = Intervals(start_s, end_s, step_s)
    charged_s = _charged_seconds(rows, plan.of(car))
    # most of a stay nothing flows: what changes is computed, and holds until the next change
    is_new = rows.is_first.copy()
    is_new[1:] |= charged_s[1:] != charged_s[:-1]
    new = np.flatnonzero(is_new)
    lasts = np.diff(new, append=len(is_new))
    span, is_first = rows.span[new], rows.is_first[new]
    soc, energy_kwh = curve.at(car[span], charged_s[new])
    register = watt_hours(energy_kwh + import_kwh[span])
    imported = np.zeros(len(is_new), dtype=np.int64)
    imported[new] = register - previous(register, is_first, watt_hours(import_kwh))
    return _table(
        rows,
        user,
        import_wh=imported,
        export_wh=np.zeros_like(imported),
        import_register_wh=np.repeat(register, lasts),
        export_register_wh=np.repeat(watt_hours(export_kwh), rows.count),
        soc=np.repeat(soc, lasts),
        state=np.where(imported > 0, np.int8(CHARGING), np.int8(IDLE)),
    )


def exporting_rows(
    user: np.ndarray,
    start_s: np.ndarray,
    end_s: np.ndarray,
    step_s: int,
    power_kw: np.ndarray,
    exported_kwh: np.ndarray,
    soc: np.ndarray,
    soc_per_kwh: np.ndarray,
    import_kwh: np.ndarray,
    export_kwh: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return the table telemetry of spans in which cars give energy back, or stand still.

    Args:
        user: number of the driver per span.
        start_s: begin per span, whole seconds.
        end_s: end per span.
        step_s: length of an interval.
        power_kw: power at which they give.
        exported_kwh: energy that they give in all.
        soc: state of charge at the begin, 0 to 1.
        soc_per_kwh: charge lost per kWh given.
        import_kwh: import register at the begin.
        export_kwh: export register at the begin.
    """
    rows = Intervals(start_s, end_s, step_s)
    after_h = (rows.ends_s - np.repeat(start_s, rows.count)) / HOUR_S
    given_kwh = np.minimum(after_h * power_kw[rows.span], exported_kwh[rows.span])
    register = watt_hours(given_kwh + export_kwh[rows.span])
    exported = register - previous(register, rows.is_first, watt_hours(export_kwh))
    return _table(
        rows,
        user,
        import_wh=np.zeros_like(exported),
        export_wh=exported,
        import_register_wh=np.repeat(watt_hours(import_kwh), rows.count),
        export_register_wh=register,
        soc=soc[rows.span] - given_kwh * soc_per_kwh[rows.span],
        state=np.where(exported > 0, np.int8(EXPORTING), np.int8(IDLE)),
    )


def _charged_seconds(rows: Intervals, plan: Plan) -> np.ndarray:
    """Return how long each car has charged by the end of each interval."""
    lengths = plan.lengths()
    # the first span of a plan is everybody's, the others are few
    starts = np.where(lengths > 0, plan.starts, 0.0)
    charged_s = rows.ends_s - np.repeat(starts[:, 0], rows.count)
    np.clip(charged_s, 0.0, np.repeat(lengths[:, 0], rows.count), out=charged_s)
    offset = np.cumsum(rows.count) - rows.count
    for number in range(1, lengths.shape[1]):
        car = np.flatnonzero(lengths[:, number] > 0)
        if car.size:
            count = rows.count[car]
            row = np.arange(count.sum()) + np.repeat(offset[car] - np.cumsum(count) + count, count)
            after_s = rows.ends_s[row] - np.repeat(starts[car, number], count)
            charged_s[row] += np.clip(after_s, 0.0, np.repeat(lengths[car, number], count))
    return charged_s


def _table(rows: Intervals, user: np.ndarray, soc: np.ndarray, **columns) -> dict[str, np.ndarray]:
    return {
        "user": np.repeat(user, rows.count),
        "starts_at": rows.starts_s,
        "ends_at": rows.ends_s,
        **columns,
        "soc_pct": 100 * soc,
    }
