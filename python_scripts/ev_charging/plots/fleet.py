"""What the figures of simulated fleets share: which run and days are drawn, and their time axis."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from ev_charging.plots.style import LIGHT_GREY, shortened

# For queries of half-hours of a mart: the windows, and whether a half-hour lies in one.
WINDOWS = """
    windows as (

        select distinct
            run_id,
            window_starts_at,
            window_ends_at
        from fleet.dispatch_delivery

    )
"""
IS_DISPATCHED = """
    exists (
        select *
        from windows
        where
            windows.run_id = half_hours.run_id
            and windows.window_starts_at < half_hours.half_hour_starts_at + interval 30 minute
            and windows.window_ends_at > half_hours.half_hour_starts_at
    )
"""
HALF_HOUR_H = 0.5
_DAYS = 2
_TICK_HOURS = 12
_NAME_CHARACTERS = 30


def drawn_days(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the run and the two local days that are drawn, in order of time.

    The run is the first by name that has a dispatch window, and its days begin with that of the
    first window; without any window they are the first run by name and its last whole days, when
    every battery has been read.

    `rows` has run_id, half_hour_starts_at (UTC), half_hour_local_at and is_dispatched (whether the
    half-hour lies in a dispatch window of the run).
    """
    dispatched = rows[rows["is_dispatched"]]
    candidates = rows if dispatched.empty else dispatched
    run = rows[rows["run_id"] == candidates["run_id"].min()]
    local_day = run["half_hour_local_at"].dt.normalize()
    if dispatched.empty:
        half_hours = run["half_hour_starts_at"].groupby(local_day).nunique()
        last_day = half_hours.index[half_hours >= half_hours.median()].max()
        first_day = last_day - pd.Timedelta(days=_DAYS - 1)
    else:
        first_day = local_day[run["is_dispatched"]].min()
    is_drawn = (local_day >= first_day) & (local_day < first_day + pd.Timedelta(days=_DAYS))
    return run[is_drawn].sort_values("half_hour_starts_at", kind="stable")


def run_name(rows: pd.DataFrame, drawn: pd.DataFrame) -> str:
    """Return which run is drawn, and of how many."""
    name = f"Run {shortened(drawn['run_id'].iloc[0], _NAME_CHARACTERS)}"
    runs = rows["run_id"].nunique()
    return name if runs == 1 else f"{name} (one of {runs:,})"


def hours(drawn: pd.DataFrame, origin: pd.DataFrame) -> np.ndarray:
    """Return the begins of half-hours as hours since the first of `origin`."""
    since = drawn["half_hour_starts_at"] - origin["half_hour_starts_at"].iloc[0]
    return since.dt.total_seconds().to_numpy() / 3600


def set_time_axis(axes: Axes, drawn: pd.DataFrame) -> None:
    """Mark midnights and noons of the local clock, also where it changes."""
    half_hours = drawn.drop_duplicates("half_hour_starts_at")
    local = half_hours["half_hour_local_at"]
    is_tick = (local.dt.hour % _TICK_HOURS == 0) & (local.dt.minute == 0)
    place = hours(half_hours, half_hours)
    labels = [f"{at:%H:%M}" if at.hour else f"{at:%H:%M}\n{at:%a} {at.day} {at:%b}" for at in local]
    axes.set_xticks(place[is_tick], np.array(labels)[is_tick])
    axes.set_xlim(0, place[-1] + HALF_HOUR_H)


def shade_dispatch(axes: Axes, drawn: pd.DataFrame) -> None:
    """Shade the half-hours that lie in a dispatch window."""
    half_hours = drawn.drop_duplicates("half_hour_starts_at")
    for start in hours(half_hours[half_hours["is_dispatched"]], half_hours):
        axes.axvspan(start, start + HALF_HOUR_H, color=LIGHT_GREY, linewidth=0, zorder=0)


def dispatch_key(drawn: pd.DataFrame) -> dict[str, Patch]:
    """Return the key of the shade, empty without a dispatch window."""
    if not drawn["is_dispatched"].any():
        return {}
    return {"Dispatch window": Patch(color=LIGHT_GREY, linewidth=0)}
