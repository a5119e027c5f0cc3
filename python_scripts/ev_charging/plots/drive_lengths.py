"""Long and short drives per week, by the period of the day in which they begin."""

import duckdb
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from ev_charging.experiment.wording import percent
from ev_charging.plots.style import (
    BLUE,
    GREEN,
    GREY,
    LIGHT_BLUE,
    ORANGE,
    PURPLE,
    labelled_artists,
    new_figure,
    no_data_figure,
    set_heading_with_key,
    styled,
)
from ev_charging.warehouse import read_mart

_QUERY = """
    select drive_date, day_period, first_hour, short_drives, long_drives
    from mobility.drive_lengths_by_day
    order by drive_date, first_hour, day_period
"""
_COLOURS = (BLUE, LIGHT_BLUE, GREEN, ORANGE, PURPLE, GREY)
_PANELS = {"short_drives": "Short drives\nper week", "long_drives": "Long drives\nper week"}
_MOST_TICKS = 9
_WEEK_DAYS = 7


def read_drive_lengths(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return short and long drives by local day and period of the day."""
    return read_mart(connection, _QUERY)


@styled
def drive_lengths_figure(days: pd.DataFrame) -> Figure:
    """Draw the short drives of each week (Monday to Sunday) and below them the long ones.

    `days` has a row per drive_date and day_period with a drive: first_hour of the period,
    short_drives and long_drives.
    """
    if days.empty:
        return no_data_figure("Drives", "mobility.drive_lengths_by_day is empty.")

    drive_date = pd.to_datetime(days["drive_date"])
    monday = drive_date - pd.to_timedelta(drive_date.dt.day_of_week, unit="D")
    weeks = pd.date_range(monday.min(), monday.max(), freq=f"{_WEEK_DAYS}D")
    periods = days.sort_values("first_hour", kind="stable")["day_period"].unique()
    figure = new_figure(9.6, _title(days), _note(drive_date))
    panels = figure.subplots(len(_PANELS), 1, sharex=True)
    for axes, (measure, label) in zip(panels, _PANELS.items(), strict=True):
        counts = days.pivot_table(
            index=monday, columns="day_period", values=measure, aggfunc="sum", fill_value=0
        ).reindex(index=weeks, columns=periods, fill_value=0)
        _draw_weeks(axes, counts)
        axes.set_ylabel(label)
    every = -(-len(weeks) // _MOST_TICKS)
    shown = range(0, len(weeks), every)
    panels[-1].set_xticks(shown, [f"{weeks[place].day} {weeks[place]:%b}" for place in shown])
    panels[-1].set_xlabel(f"Week that begins on Monday, {_period(drive_date)}")
    set_heading_with_key(panels[0], "Drives that begin in the", labelled_artists(panels[0]), 6)
    return figure


def _draw_weeks(axes: Axes, counts: pd.DataFrame) -> None:
    below = np.zeros(len(counts))
    for period, colour in zip(counts.columns, _COLOURS, strict=False):
        height = counts[period].to_numpy(float)
        axes.bar(range(len(counts)), height, 0.8, bottom=below, color=colour, label=period)
        below += height
    axes.set_ylim(0, max(1.0, 1.06 * below.max()))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.grid(axis="y")


def _title(days: pd.DataFrame) -> str:
    long, drives = days["long_drives"].sum(), days[list(_PANELS)].to_numpy().sum()
    if not long:
        return f"None of {drives:,} drives is a long one"
    by_period = days.groupby("day_period")["long_drives"].sum()
    many = "most of them" if by_period.max() > long / 2 else "the most"
    return f"{percent(long / drives)} of drives are long, {many} in the {by_period.idxmax()}"


def _note(drive_date: pd.Series) -> str:
    is_part = {
        "the first": drive_date.min().day_of_week != 0,
        "the last": drive_date.max().day_of_week != _WEEK_DAYS - 1,
    }
    weeks = " and ".join(week for week, is_so in is_part.items() if is_so)
    return f"The data cover {weeks} week in part." if weeks else ""


def _period(drive_date: pd.Series) -> str:
    first, last = (f"{day.day} {day:%B %Y}" for day in (drive_date.min(), drive_date.max()))
    return first if first == last else f"{first} to {last}"
