"""Feed files of an experiment read with the standard library, and its metrics with pandas.

Nothing in here reads a warehouse or shares code with its models: tests compare the warehouse
with these figures.
"""

import csv
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from feed_figures import ZONE, instant
from price_figures import (
    by_hour,
    by_minute,
    low_price_hours,
    minute,
    number,
    on_clock,
    read_intervals,
    utc,
)

DAY = timedelta(days=1)
LOW_PRICE_HOURS_PER_DAY = 6
PEAK_HOURS = (17, 18, 19, 20)
METRICS = (
    "low_price_share",
    "energy_per_session",
    "sessions_per_user",
    "low_price_energy_share",
    "cost_per_kwh",
    "gco2_per_kwh",
    "peak_hour_share",
)


@dataclass(frozen=True)
class Experiment:
    """Users of one experiment, each in one arm, and the sessions that count for it.

    Attributes:
        users: user_id, variant, segment; mixed users left out.
        sessions: user_id, variant, segment, day (from 1), hour (local, of the begin of charging),
            energy, and for each metric its numerator S and denominator N of the single session,
            as `S <metric>` and `N <metric>`.
    """

    users: pd.DataFrame
    sessions: pd.DataFrame

    def sums(self, by: Sequence[str]) -> pd.DataFrame:
        """Numerators and denominators per group of sessions, and the number of sessions."""
        grouped = self.sessions.groupby(list(by))
        columns = [f"{part} {metric}" for metric in METRICS for part in "SN"]
        return grouped[columns].sum().assign(sessions=grouped.size())

    def ratios(self, by: Sequence[str]) -> dict[str, pd.Series]:
        """Value of each metric in groups of users; those without a session count too."""
        sums = self.sums(by)
        sums["N sessions_per_user"] = self.users.groupby(list(by)).size()
        return {metric: sums[f"S {metric}"] / sums[f"N {metric}"] for metric in METRICS}


def read_plan(path: Path, experiment_id: str) -> tuple[datetime, datetime]:
    """First day of an experiment and the day after its last, as local midnights."""
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["experiment_id"] == experiment_id:
                first, last = (
                    datetime.fromisoformat(row[name]) for name in ("starts_on", "ends_on")
                )
                return first, last + pd.Timedelta(days=1)
    raise KeyError(experiment_id)


def read_newest(path: Path, key: Sequence[str], rejected: Collection[int]) -> list[dict[str, str]]:
    """Rows of a file but the rejected ones (numbered from 1), of rows of one key the last."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = {
            tuple(row[name] for name in key): {name: text.strip() for name, text in row.items()}
            for row_number, row in enumerate(csv.DictReader(file), start=1)
            if row_number not in rejected
        }
    return list(rows.values())


def read_users(path: Path, experiment_id: str, rejected: Collection[int] = ()) -> pd.DataFrame:
    """Users of an experiment in exactly one arm: user_id, variant, segment, assigned_at."""
    rows = read_newest(path, ["experiment_id", "user_id", "variant"], rejected)
    users = pd.DataFrame(
        [
            {
                "user_id": row["user_id"],
                "variant": row["variant"],
                "segment": row["segment"] or "unknown",
                "assigned_at": utc(row["assigned_at"]),
            }
            for row in rows
            if row["experiment_id"] == experiment_id
        ]
    )
    return users[~users["user_id"].duplicated(keep=False)].reset_index(drop=True)


def read_sessions(path: Path, rejected: Collection[int] = ()) -> pd.DataFrame:
    """Accepted sessions: user_id, plugged_in, started, ended (None), energy, cost, is_low (nan)."""
    flags = {"true": 1.0, "false": 0.0}
    return pd.DataFrame(
        [
            {
                "user_id": row["user_id"],
                "plugged_in": utc(row["plugged_in_at"]),
                "plugged_out": _utc_or_none(row["plugged_out_at"]),
                "started": utc(row["charging_started_at"] or row["plugged_in_at"]),
                "ended": _utc_or_none(row["charging_ended_at"] or row["plugged_out_at"]),
                "energy": _float(row["energy_kwh"]),
                "cost": _float(row["cost_eur"]),
                "is_low": flags.get(row["in_low_price_window"].lower(), np.nan),
            }
            for row in read_newest(path, ["session_id"], rejected)
        ]
    )


def read_experiment(
    users: pd.DataFrame,
    sessions: pd.DataFrame,
    days: tuple[datetime, datetime],
    prices: Path,
    zone: str,
    rejected_prices: Collection[int] = (),
) -> Experiment:
    """The experiment of these users, with the prices of a zone."""
    first, end = (instant(day) for day in days)
    counted = sessions.merge(users, on="user_id")
    is_inside = (counted["plugged_in"] >= first) & (counted["plugged_in"] < end)
    counted = counted[is_inside & (counted["plugged_in"] >= counted["assigned_at"])]

    intervals = read_intervals(prices, zone, rejected_prices)
    price, carbon = (by_minute(intervals, value) for value in ("price", "carbon"))
    ranks = low_price_hours(by_hour(price), ZONE, LOW_PRICE_HOURS_PER_DAY)
    starts = [minute(started) for started in counted["started"]]
    spans = [
        (start, None if pd.isna(ended) else minute(ended))
        for start, ended in zip(starts, counted["ended"], strict=True)
    ]
    priced_low = pd.Series(
        [_float_or_nan(ranks.get(start - start % 60, (None,))[-1]) for start in starts],
        index=counted.index,
    )
    mean_price, mean_carbon = (
        pd.Series(_means(values, spans), index=counted.index) for values in (price, carbon)
    )
    low = priced_low.fillna(counted["is_low"])
    energy = counted["energy"]
    cost = (energy * mean_price / 1000).fillna(counted["cost"])
    grams = energy * mean_carbon
    local = [on_clock(start, ZONE) for start in starts]
    hour = pd.Series([time.hour for time in local], index=counted.index)
    plugged_in = [on_clock(minute(stamp), ZONE) for stamp in counted["plugged_in"]]
    counted = counted.assign(day=[(stamp - days[0]).days + 1 for stamp in plugged_in], hour=hour)
    for metric, (numerator, denominator) in {
        "low_price_share": (low, low.notna()),
        "energy_per_session": (energy, energy.notna()),
        "sessions_per_user": (1, np.nan),
        "low_price_energy_share": (energy * low, energy.where(low.notna())),
        "cost_per_kwh": (cost.where(energy.notna()), energy.where(cost.notna())),
        "gco2_per_kwh": (grams, energy.where(grams.notna())),
        "peak_hour_share": (hour.isin(PEAK_HOURS), 1),
    }.items():
        counted[f"S {metric}"], counted[f"N {metric}"] = numerator, denominator
    return Experiment(users, counted.reset_index(drop=True))


def _means(values: dict[int, float], spans: Sequence[tuple[int, int | None]]) -> list[float]:
    """Mean of a value over the minutes of each span; nan where one of them has none."""
    first, last = min(values), max(values)
    series = np.array([values.get(place, np.nan) for place in range(first, last + 1)])
    total = np.concatenate(([0], np.nancumsum(series)))
    missing = np.concatenate(([0], np.cumsum(np.isnan(series))))
    means = []
    for start, end in spans:
        begin, stop = start - first, None if end is None else max(end, start + 1) - first
        if stop is None or begin < 0 or stop > len(series) or missing[stop] > missing[begin]:
            means.append(np.nan)
        else:
            means.append((total[stop] - total[begin]) / (stop - begin))
    return means


def _utc_or_none(text: str) -> datetime | None:
    return utc(text) if text else None


def _float(text: str) -> float:
    value = number(text)
    return np.nan if value is None else value


def _float_or_nan(flag: bool | None) -> float:
    return np.nan if flag is None else float(flag)
