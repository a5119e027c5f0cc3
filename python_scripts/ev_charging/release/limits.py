"""The limits of extracts, and which are weaker than those that the docs call anonymous."""

import json
import math
import operator
from collections.abc import Mapping
from typing import Any

from ev_charging.release.refusals import ExitCode, Refusal

MIN_VEHICLES = "extract_min_vehicles"
MIN_CLIENTS = "extract_min_clients"
P_PERCENT = "extract_p_percent"
DOMINANCE_SHARE = "extract_dominance_share"
ENERGY_STEP = "extract_energy_step_kwh"
POWER_STEP = "extract_power_step_kw"
DURATION_STEP = "extract_duration_step_minutes"
SOC_STEP = "extract_soc_step_pct"
DISTANCE_STEP = "extract_distance_step_km"
CONSUMPTION_STEP = "extract_consumption_step_kwh"
SHARE_STEP = "extract_share_step_pct"
SOC_CLASS = "extract_soc_class_pct"
POWER_BOUNDS = "extract_power_class_kw"
MAX_RECORDS = "extract_records_per_vehicle"

_AT_LEAST = {
    MIN_VEHICLES: 11,
    MIN_CLIENTS: 5,
    P_PERCENT: 0.15,
    ENERGY_STEP: 50,
    POWER_STEP: 1,
    DURATION_STEP: 5,
    SOC_STEP: 5,
    DISTANCE_STEP: 5,
    CONSUMPTION_STEP: 1,
    SHARE_STEP: 5,
    SOC_CLASS: 20,
}
_AT_MOST = {DOMINANCE_SHARE: 0.85, MAX_RECORDS: 3}
_AMONG = {POWER_BOUNDS: [11, 50]}
_WORDINGS = (
    ("at least", _AT_LEAST, operator.lt),
    ("at most", _AT_MOST, operator.gt),
    ("among", _AMONG, lambda bounds, allowed: not set(bounds) <= set(allowed)),
)
LIMITS = frozenset(_AT_LEAST | _AT_MOST | _AMONG)


def check_limits(parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that lack a limit, or have one that can't be a limit.

    Raises:
        Refusal: the extracts don't tell what they were made with.
    """
    missing = LIMITS - parameters.keys()
    if missing:
        raise Refusal(
            ExitCode.NO_WAREHOUSE, f"the warehouse doesn't tell {min(missing)}: run dbt build"
        )
    for name in sorted(LIMITS):
        form, has_form = _FORMS.get(name, _WHOLE)
        if not has_form(parameters[name]):
            raise Refusal(
                ExitCode.NO_WAREHOUSE,
                f"{name} is {json.dumps(parameters[name])} in the warehouse and has to be {form}:"
                " correct the var and run dbt build",
            )


def weak_limits(parameters: Mapping[str, Any]) -> list[str]:
    """Return a line for each limit that is weaker than it should be."""
    return [
        f"{name} is {parameters[name]} and should be {wording} {limit}"
        for wording, limits, is_weak in _WORDINGS
        for name, limit in limits.items()
        if name in parameters and is_weak(parameters[name], limit)
    ]


def _is_number(value: Any) -> bool:
    # To Python, true is a number, and so is infinity.
    return type(value) in (int, float) and math.isfinite(value)


def _is_whole(value: Any) -> bool:
    return _is_number(value) and value > 0 and value % 1 == 0


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _are_bounds(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_number, value))


_WHOLE = ("a whole number above 0", _is_whole)
_SHARE = ("a share from 0 to 1", _is_share)
_FORMS = {
    P_PERCENT: _SHARE,
    DOMINANCE_SHARE: _SHARE,
    POWER_BOUNDS: ("a list of numbers", _are_bounds),
}
