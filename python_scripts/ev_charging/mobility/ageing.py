"""How much capacity batteries lose with age, from what goes into them while SOC rises."""

import numpy as np
import pandas as pd

from ev_charging.frames import COUNT, NUMBER, TEXT, typed_frame
from ev_charging.mobility.trend import OK, ONE_X, TIED, TOO_FEW, theil_sen

AGEING = {
    "battery_chemistry": TEXT,
    "vehicles": COUNT,
    "vehicles_used": COUNT,
    "sessions": COUNT,
    "youngest_years": NUMBER,
    "median_age_years": NUMBER,
    "oldest_years": NUMBER,
    "ratio_when_new": NUMBER,
    "annual_change_pct": NUMBER,
    "ci_low_pct": NUMBER,
    "ci_high_pct": NUMBER,
    "status": TEXT,
}

_STATUS = {OK: "ok", TOO_FEW: "too_few_vehicles", ONE_X: "one_age", TIED: "too_many_ties"}


def battery_ageing(vehicles: pd.DataFrame, limits: pd.DataFrame) -> pd.DataFrame:
    """Return one row per battery chemistry: the trend of capacity over the age of vehicles.

    The line is fitted to the logarithm of each vehicle's capacity ratio, so that its slope is a
    relative change per year. Whatever multiplies all ratios alike, as energy that is metered
    before the charging loss, moves the line and not its slope.

    Args:
        vehicles: rows of int_mobility__vehicle_capacities: vehicle_key, battery_chemistry,
            age_years, sessions and capacity_ratio (energy / (SOC change x usable capacity when
            new), above 0).
        limits: the row of int_mobility__ageing_limits. Of a chemistry with more than max_vehicles
            the first by vehicle_key count: the key is a hash, so they are as good as drawn.

    Returns:
        A frame with the columns AGEING, ordered by battery_chemistry. Without an interval (status
        other than 'ok') the trend is missing.
    """
    limit = limits.iloc[0]
    rows = [
        _row(name, group.sort_values("vehicle_key"), int(limit["max_vehicles"]), limit["alpha"])
        for name, group in vehicles.groupby("battery_chemistry")
    ]
    return typed_frame(AGEING, rows)


def _row(chemistry: str, vehicles: pd.DataFrame, max_vehicles: int, alpha: float) -> dict:
    used = vehicles.head(max_vehicles)
    age_years = used["age_years"].to_numpy(dtype=float)
    ratio = used["capacity_ratio"].to_numpy(dtype=float)
    trend = theil_sen(age_years, np.log(ratio), alpha)
    return {
        "battery_chemistry": chemistry,
        "vehicles": len(vehicles),
        "vehicles_used": len(used),
        "sessions": used["sessions"].sum(),
        "youngest_years": age_years.min(),
        "median_age_years": np.median(age_years),
        "oldest_years": age_years.max(),
        "ratio_when_new": np.exp(trend.intercept),
        "annual_change_pct": _change_pct(trend.slope),
        "ci_low_pct": _change_pct(trend.ci_low),
        "ci_high_pct": _change_pct(trend.ci_high),
        "status": _STATUS[trend.status],
    }


def _change_pct(log_change: float) -> float:
    return 100 * np.expm1(log_change)
