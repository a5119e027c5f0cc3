"""Audits figures: each is told as roughly as the limits in the manifest say.

Extracts that were built with other limits than those which the warehouse tells show it here.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from ev_charging.release import limits
from ev_charging.release.extract_table import Row, is_number
from ev_charging.release.partner_list import PSEUDONYM, Delivery
from ev_charging.release.refusals import Refusal, failed_audit

_LIMIT_OF = {
    "soc_start_pct": limits.SOC_CLASS,
    "soc_end_pct": limits.SOC_CLASS,
    "power_class": limits.POWER_BOUNDS,
    "energy_kwh": limits.ENERGY_STEP,
    "median_energy_kwh": limits.ENERGY_STEP,
    "median_power_kw": limits.POWER_STEP,
    "median_duration_minutes": limits.DURATION_STEP,
    "median_soc_start_pct": limits.SOC_STEP,
    "median_soc_end_pct": limits.SOC_STEP,
    "soc_lost_per_hour_driven_pct": limits.SOC_STEP,
    "median_distance_km": limits.DISTANCE_STEP,
    "consumption_p25_kwh_per_100km": limits.CONSUMPTION_STEP,
    "consumption_median_kwh_per_100km": limits.CONSUMPTION_STEP,
    "consumption_p75_kwh_per_100km": limits.CONSUMPTION_STEP,
    "long_drives_share_pct": limits.SHARE_STEP,
    "energy_hungry_drives_share_pct": limits.SHARE_STEP,
    "complete_share_pct": limits.SHARE_STEP,
}
_EXACT = {"weekday"}
_UNKNOWN_POWER = "unknown"


def audit_figures(rows: Sequence[Row], delivery: Delivery, parameters: Mapping[str, Any]) -> None:
    """Refuse figures that are told more precisely than they may be.

    Args:
        rows: the rows of a file, each as long as its header.
        delivery: what the file is of.
        parameters: limits by their var, as the manifest tells them.

    Raises:
        Refusal: a number is no multiple of its step, a class isn't one of the bounds, a pseudonym
            has too many rows, or there is a column of numbers without a step.
    """
    for place, column in enumerate(delivery.columns):
        figures = {row[place] for row in rows} - {""}
        if column in _LIMIT_OF:
            limit = _LIMIT_OF[column]
            if not all(_keeps(figure, limit, parameters[limit]) for figure in figures):
                raise _other_build(delivery, column, limit, parameters)
        elif is_number(delivery, column) and column not in _EXACT:
            raise failed_audit(delivery.extract, f"the export knows no step of {column}")
    if PSEUDONYM in delivery.columns:
        place = delivery.columns.index(PSEUDONYM)
        records = Counter(row[place] for row in rows)
        if max(records.values(), default=0) > parameters[limits.MAX_RECORDS]:
            raise _other_build(delivery, PSEUDONYM, limits.MAX_RECORDS, parameters)


def _keeps(figure: str, limit: str, value: Any) -> bool:
    if limit == limits.POWER_BOUNDS:
        return figure in _power_classes(value)
    step = int(value)
    try:
        number = Decimal(figure)
        # A share is told as 100 less a step at most, whether or not that is a multiple.
        return number % step == 0 or (limit == limits.SHARE_STEP and number == 100 - step)
    except InvalidOperation:
        return False


def _power_classes(bounds: Sequence[float]) -> set[str]:
    """Return the classes as the macro class_by_bounds names them."""
    between = {f"{low} to {high}" for low, high in zip(bounds, bounds[1:], strict=False)}
    return {f"up to {bounds[0]}", *between, f"above {bounds[-1]}", _UNKNOWN_POWER}


def _other_build(
    delivery: Delivery, column: str, limit: str, parameters: Mapping[str, Any]
) -> Refusal:
    return failed_audit(
        delivery.extract,
        f"{column} isn't as {limit} {parameters[limit]} makes it: run dbt build again",
    )
