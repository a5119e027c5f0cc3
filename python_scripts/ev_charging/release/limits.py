"""Limits that are weaker than those which the docs call anonymous."""

from collections.abc import Mapping
from typing import Any

_AT_LEAST = {
    "extract_min_vehicles": 11,
    "extract_min_clients": 5,
    "extract_p_percent": 0.15,
    "extract_energy_step_kwh": 50,
    "extract_power_step_kw": 1,
    "extract_duration_step_minutes": 5,
    "extract_soc_step_pct": 5,
}
_AT_MOST = {"extract_dominance_share": 0.85}


def weak_limits(parameters: Mapping[str, Any]) -> list[str]:
    """Return a line for each limit that is weaker than it should be."""
    return [
        f"{name} is {parameters[name]} and should be {wording} {limit}"
        for wording, limits, is_weak in (
            ("at least", _AT_LEAST, lambda value, limit: value < limit),
            ("at most", _AT_MOST, lambda value, limit: value > limit),
        )
        for name, limit in limits.items()
        if name in parameters and is_weak(parameters[name], limit)
    ]
