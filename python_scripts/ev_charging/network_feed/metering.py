"""What the meter of a port reads during a transaction."""

from dataclasses import dataclass
from typing import NamedTuple

from ev_charging.network_feed.attempt import Plan
from ev_charging.network_feed.layout import Model

_SECONDS_PER_SOC_POINT = 60


class Reading(NamedTuple):
    """A reading: the register in Wh, power in W and state of charge in % where they are sent."""

    at: int
    register_wh: int
    power_w: int | None
    soc_pct: int | None


@dataclass(slots=True)
class Metering:
    """The readings of one transaction; `samples` lie strictly between begin and end."""

    begin_wh: int
    end_wh: int
    samples: list[Reading]

    @property
    def max_power_w(self) -> int | None:
        """Return the highest power that was sent."""
        powers = [sample.power_w for sample in self.samples if sample.power_w is not None]
        return max(powers, default=None)

    def soc_pct(self) -> tuple[int | None, int | None]:
        """Return the first and the last state of charge that was sent."""
        values = [sample.soc_pct for sample in self.samples if sample.soc_pct is not None]
        return (values[0], values[-1]) if values else (None, None)


def meter(
    model: Model, plan: Plan, register_wh: int, begin: int, power_begin: int | None, end: int
) -> Metering:
    """Return the readings from `begin` to `end` of a transaction that gets power in between."""
    samples = []
    energy_wh = plan.energy_wh or 0
    charging_s = max(plan.charging_s, 1)
    power_w = energy_wh * 3600 // charging_s
    interval_s = model.meter_interval_s
    if power_begin is not None:
        for at in range(begin + interval_s, end - 5, interval_s):
            passed_s = min(max(at - power_begin, 0), charging_s)
            soc_pct = None
            if plan.soc_pct is not None:
                soc_pct = min(plan.soc_pct + passed_s // _SECONDS_PER_SOC_POINT, 100)
            delivers = 0 < at - power_begin < charging_s
            samples.append(
                Reading(
                    at,
                    register_wh + energy_wh * passed_s // charging_s,
                    (power_w if delivers else 0) if model.is_fast else None,
                    soc_pct,
                )
            )
    if plan.ends_before is not None:
        end_wh = samples[-1].register_wh if samples else register_wh
    else:
        end_wh = register_wh + energy_wh
    return Metering(register_wh, end_wh, samples)


def kilo(value: int) -> str:
    """Return thousandths as a decimal number of units."""
    return f"{value // 1000}.{value % 1000:03}"
