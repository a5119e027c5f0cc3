"""Kinds of charges, as the documentation of the extracts describes them to everybody."""

import numpy as np
import pandas as pd

SOC_CLASS_PCT = 20
POWER_CLASSES_KW = {"up to 11": 11, "11 to 50": 50, "above 50": np.inf}
CLASSES = ["soc_start_pct", "soc_end_pct", "power_class"]


def charge_classes(sessions: pd.DataFrame) -> pd.DataFrame:
    """Month, vehicle and class of each charge whose SOC is known at both ends, as texts."""
    known = sessions.dropna(subset=["soc_start_pct", "soc_end_pct"])
    socs = {
        column: ((known[column] / SOC_CLASS_PCT + 0.5) // 1 * SOC_CLASS_PCT).astype(int).astype(str)
        for column in CLASSES[:2]
    }
    power = pd.cut(
        known["max_power_kw"], [-np.inf, *POWER_CLASSES_KW.values()], labels=[*POWER_CLASSES_KW]
    )
    power = power.astype(object).where(power.notna(), "unknown")
    return known[["month", "vehicle_id"]].assign(**socs, power_class=power)


def chosen_classes(sessions: pd.DataFrame) -> dict[str, list[tuple]]:
    """Classes of each vehicle, the one that most vehicles have first."""
    classes = charge_classes(sessions).drop_duplicates()
    vehicles = classes.groupby(CLASSES)["vehicle_id"].nunique()
    rows = classes[["vehicle_id", *CLASSES]].itertuples(index=False, name=None)
    chosen: dict[str, list[tuple]] = {}
    for vehicle, *one in sorted(rows, key=lambda row: (-vehicles[row[1:]], row[1:])):
        chosen.setdefault(vehicle, []).append(tuple(one))
    return chosen
