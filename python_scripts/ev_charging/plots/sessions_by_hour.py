"""At which hours the arms of an experiment begin to charge, and which hours are low-price."""

import duckdb
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ev_charging.experiment.wording import percent
from ev_charging.plots.experiment import Arm, arms, comparison_name, first_comparison
from ev_charging.plots.style import (
    GREEN,
    labelled_artists,
    new_figure,
    no_data_figure,
    percent_ticks,
    set_heading_with_key,
    styled,
)
from ev_charging.warehouse import read_mart

_QUERY = """
    with

    starts as (

        select
            sessions.experiment_id,
            case when sessions.variant <> experiments.control_variant then sessions.variant end
                as treatment_variant,
            cast(sessions.started_local_at as date) as date_key,
            extract(hour from sessions.started_local_at) as hour_of_day,
            sessions.is_low_price
        from intermediate.int_experiment_sessions as sessions
        inner join intermediate.int_experiments as experiments
            on sessions.experiment_id = experiments.experiment_id

    )

    select
        experiment_id,
        treatment_variant,
        date_key,
        hour_of_day,
        count(*) as sessions,
        count(is_low_price) as known_sessions,
        count_if(is_low_price) as low_price_sessions
    from starts
    group by experiment_id, treatment_variant, date_key, hour_of_day
    order by experiment_id, treatment_variant, date_key, hour_of_day
"""
_HOURS = 24
_DARKEST = 0.45


def read_starts(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return the sessions that begin to charge, by experiment, arm, local day and hour."""
    return read_mart(connection, _QUERY)


@styled
def sessions_by_hour_figure(starts: pd.DataFrame) -> Figure:
    """Draw the share of sessions by the local hour in which charging starts, one line per arm.

    `starts` has a row per experiment_id, treatment_variant (missing in the control arm), date_key
    and hour_of_day (0 to 23): the numbers of sessions, known_sessions (those of which it is known
    whether they start in a low-price hour) and low_price_sessions (those that do). An hour is
    shaded by the share of its days on which it is low-price.
    """
    if starts.empty:
        return no_data_figure("Sessions by hour", "No session belongs to an experiment.")

    drawn = first_comparison(starts)
    low_price_share = _low_price_share(drawn)
    figure = new_figure(8.8, _title(arms(drawn)), _note(drawn))
    axes = figure.subplots()
    _shade(axes, low_price_share)
    for arm in arms(drawn):
        share = _share_by_hour(arm)
        axes.stairs(
            share,
            np.arange(_HOURS + 1),
            baseline=None,
            color=arm.colour,
            linewidth=2,
            label=f"{arm.name} ({arm.rows['sessions'].sum():,} sessions)",
        )
    axes.set_xlim(0, _HOURS)
    axes.set_ylim(bottom=0)
    axes.set_xticks(np.arange(0, _HOURS + 1, 3), [f"{h:02d}:00" for h in range(0, _HOURS + 1, 3)])
    axes.set_xlabel("Local time at which charging starts (hour of the day)")
    axes.set_ylabel("Sessions (% of the arm)")
    axes.yaxis.set_major_formatter(percent_ticks(1))
    axes.grid(axis="y")
    key = labelled_artists(axes)
    if low_price_share.any():
        key["Low-price hour: the darker, the more days"] = Patch(
            color=GREEN, alpha=_DARKEST, linewidth=0
        )
    set_heading_with_key(axes, comparison_name(starts), key, columns=2)
    return figure


def _shade(axes: Axes, low_price_share: np.ndarray) -> None:
    for hour in np.flatnonzero(low_price_share):
        axes.axvspan(
            hour, hour + 1, color=GREEN, alpha=_DARKEST * low_price_share[hour], linewidth=0
        )


def _share_by_hour(arm: Arm) -> np.ndarray:
    sessions = arm.rows.groupby("hour_of_day")["sessions"].sum().reindex(range(_HOURS))
    return (sessions.fillna(0) / sessions.sum()).to_numpy(dtype=float)


def _low_price_share(starts: pd.DataFrame) -> np.ndarray:
    columns = ["known_sessions", "low_price_sessions"]
    days = starts[starts["known_sessions"] > 0].groupby(["hour_of_day", "date_key"])[columns].sum()
    shares = days["low_price_sessions"] / days["known_sessions"]
    by_hour = shares.groupby("hour_of_day").mean()
    return by_hour.reindex(range(_HOURS)).fillna(0).to_numpy(dtype=float)


def _title(drawn: list[Arm]) -> str:
    parts = [
        f"{percent(arm.rows['low_price_sessions'].sum() / known)} in {arm.name}"
        for arm in drawn
        if (known := arm.rows["known_sessions"].sum())
    ]
    if not parts:
        return "Sessions by hour; no price is known"
    return f"Sessions that start in a low-price hour: {', '.join(parts)}"


def _note(starts: pd.DataFrame) -> str:
    unknown = starts["sessions"].sum() - starts["known_sessions"].sum()
    if not unknown:
        return ""
    return f"{unknown:,} sessions without a known price count in the lines only."
