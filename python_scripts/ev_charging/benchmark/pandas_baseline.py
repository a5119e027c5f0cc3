"""The KPIs of an hourly-load file with pandas, the same as in duckdb_baseline.

Run as ``python -m ev_charging.benchmark.pandas_baseline FILE``; prints one JSON row per profile.
"""

import json
import sys

import pandas as pd

from ev_charging.benchmark.duckdb_baseline import PROFILES


def load_kpis(loads: pd.DataFrame, column: str) -> dict[str, float]:
    """The KPIs of one load profile.

    Args:
        loads: a row per user, session and hour with date_from (local time), User_ID, session_ID
            and the energy of the profile in kWh, NaN where the profile has none.
        column: the column of the profile.
    """
    loads = loads.dropna(subset=[column])
    hourly = loads.groupby("date_from")[column].sum()
    daily = hourly.groupby(hourly.index.normalize()).sum()
    active = (hourly > 0).groupby(hourly.index.normalize()).sum()
    days = (daily.index.max() - daily.index.min()).days + 1
    last_week = daily[daily.index > daily.index.max() - pd.Timedelta(days=7)]
    user_peaks = loads.groupby(["User_ID", "date_from"])[column].sum().groupby("User_ID").max()
    sessions = loads.loc[loads[column] > 0, "session_ID"].nunique()
    return {
        "days": days,
        "users": float((user_peaks > 0).sum()),
        "charging_sessions": float(sessions),
        "total_energy_kwh": daily.sum(),
        "avg_daily_energy_kwh": daily.sum() / days,
        "avg_daily_energy_last_7_days_kwh": last_week.sum() / 7,
        "peak_daily_energy_kwh": daily.max(),
        "peak_hourly_load_kwh": hourly.max(),
        "avg_active_charging_hours_per_day": active.sum() / days,
        "coincidence_factor": hourly.max() / user_peaks.sum(),
    }


def main(file: str) -> None:
    """Read the file, compute the KPIs of every profile and print them."""
    loads = pd.read_csv(file, sep=";", decimal=",", dtype={"session_ID": str, "User_ID": str})
    loads = loads.dropna(subset=["session_ID"])
    loads["date_from"] = pd.to_datetime(loads["date_from"], format="%d.%m.%Y %H:%M")
    for name, column in sorted(PROFILES.items()):
        kpis = {key: float(value) for key, value in load_kpis(loads, column).items()}
        print(json.dumps({"load_profile": name} | kpis))


if __name__ == "__main__":
    main(*sys.argv[1:])
