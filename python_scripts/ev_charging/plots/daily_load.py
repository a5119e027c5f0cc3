"""Energy per day over the whole period, with the mean of a week and the peak day."""

import duckdb
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.markers import CARETDOWN
from matplotlib.ticker import StrMethodFormatter

from ev_charging.load_profiles import LOAD_PROFILES
from ev_charging.plots.style import (
    BLUE,
    GREY,
    LIGHT_BLUE,
    ORANGE,
    new_figure,
    no_data_figure,
    styled,
)
from ev_charging.warehouse import read_mart

_QUERY = """
    select date_key, energy_kwh, mean_energy_7_days_kwh, is_peak_day
    from load.daily_load
    where load_profile = ?
    order by date_key
"""
_HALF_DAY = 0.5
_FEW_DAYS = 10


def read_daily_load(connection: duckdb.DuckDBPyConnection, load_profile: str) -> pd.DataFrame:
    """Return the days of a load profile, oldest first, energy in kWh."""
    return read_mart(connection, _QUERY, [load_profile])


@styled
def daily_load_figure(days: pd.DataFrame, load_profile: str) -> Figure:
    """Draw the energy of each local day in kWh.

    `days` has a row per calendar day without gaps: date_key, energy_kwh, mean_energy_7_days_kwh
    (of the day and the six before it) and is_peak_day.
    """
    if days.empty:
        return no_data_figure("Daily load", f"load.daily_load has no day of {load_profile}.")

    peak = days[days["is_peak_day"]].iloc[0]
    peak_date = pd.Timestamp(peak["date_key"])
    figure = new_figure(8.2, _title(days, peak))
    axes = figure.subplots()
    axes.set_title(
        f"Energy per day, load profile {load_profile}: {LOAD_PROFILES[load_profile]}",
        loc="left",
        color=GREY,
    )

    noon = date2num(days["date_key"])
    # One outline instead of a bar per day: it stays sharp over years of days.
    axes.stairs(
        days["energy_kwh"],
        [*(noon - _HALF_DAY), noon[-1] + _HALF_DAY],
        fill=True,
        color=LIGHT_BLUE,
        label="Energy per day",
    )
    axes.plot(
        noon,
        days["mean_energy_7_days_kwh"],
        color=BLUE,
        linewidth=1.6,
        label="Mean of the last 7 days",
    )
    axes.plot(
        date2num(peak_date),
        peak["energy_kwh"],
        marker=CARETDOWN,
        markersize=7,
        color=ORANGE,
        linestyle="none",
        # Whole also at the edge, where the first or the last day is the peak.
        clip_on=False,
        label="Peak day",
    )
    _label_peak(axes, date2num(peak_date), peak, noon)

    axes.set_ylabel("Energy (kWh per day)")
    axes.set_xlabel(f"Local day, {_period(days)}")
    axes.set_xlim(noon[0] - _HALF_DAY, noon[-1] + _HALF_DAY)
    # Room above the peak for its label, also when nothing was charged at all.
    axes.set_ylim(0, max(1.0, 1.16 * peak["energy_kwh"]))
    _set_day_ticks(axes, days, noon)
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.grid(axis="y")
    figure.legend(loc="outside lower right", ncols=3, borderpad=0, handlelength=1.4)
    return figure


def _title(days: pd.DataFrame, peak: pd.Series) -> str:
    text = f"Peak day {_date_text(peak['date_key'])}: {peak['energy_kwh']:,.0f} kWh"
    mean_kwh = days["energy_kwh"].mean()
    if mean_kwh > 0 and len(days) > 1:
        text = f"{text}, {peak['energy_kwh'] / mean_kwh:.1f} times the average"
    return text


def _period(days: pd.DataFrame) -> str:
    first, last = (_date_text(days["date_key"].iloc[row]) for row in (0, -1))
    return first if first == last else f"{first} to {last}"


def _date_text(date) -> str:
    date = pd.Timestamp(date)
    return f"{date.day} {date.month_name()} {date.year}"


def _set_day_ticks(axes: Axes, days: pd.DataFrame, noon: np.ndarray) -> None:
    if len(days) <= _FEW_DAYS:
        # The locator would go down to hours.
        axes.set_xticks(noon, [f"{date.day} {date.month_name()[:3]}" for date in days["date_key"]])
        return
    locator = AutoDateLocator(minticks=4, maxticks=14)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))


def _label_peak(axes: Axes, x: float, peak: pd.Series, noon: np.ndarray) -> None:
    # The label opens towards the side with more room.
    is_in_right_half = x > (noon[0] + noon[-1]) / 2
    axes.annotate(
        f"{_date_text(peak['date_key'])}: {peak['energy_kwh']:,.0f} kWh",
        (x, peak["energy_kwh"]),
        xytext=(-6 if is_in_right_half else 6, 4),
        textcoords="offset points",
        ha="right" if is_in_right_half else "left",
        va="center",
        color=ORANGE,
    )
