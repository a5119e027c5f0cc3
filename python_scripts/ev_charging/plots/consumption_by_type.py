"""Consumption of each type of vehicle, and its share of energy-hungry drives."""

import duckdb
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ev_charging.experiment.wording import percent
from ev_charging.plots.style import (
    BLUE,
    GREY,
    INK,
    LIGHT_BLUE,
    ORANGE,
    labelled_artists,
    new_figure,
    no_data_figure,
    percent_ticks,
    set_heading_with_key,
    shortened,
    styled,
)
from ev_charging.warehouse import read_mart

_QUERY = """
    select
        month,
        vehicle_type,
        judged_drives,
        hungry_drives,
        hungry_share,
        kwh_per_100km_p25,
        kwh_per_100km_p50,
        kwh_per_100km_p75,
        kwh_per_100km_p90
    from mobility.vehicle_type_consumption
    where judged_drives > 0
    order by month, vehicle_type
"""
_MOST_TYPES = 16
_ROW_HEIGHT_CM = 0.75
_FRAME_HEIGHT_CM = 5.0
_LABEL_CHARACTERS = 24


def read_consumption(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return the consumption of each type of vehicle and month with a judged drive."""
    return read_mart(connection, _QUERY)


@styled
def consumption_by_type_figure(consumption: pd.DataFrame) -> Figure:
    """Draw the spread of consumption of each type of vehicle and its share of hungry drives.

    `consumption` has a row per month and vehicle_type: judged_drives (above 0), hungry_drives,
    hungry_share (0 to 1), and percentiles of kWh per 100 km, kwh_per_100km_p25 to _p90. The month
    with most judged drives is drawn, of equal ones the last.
    """
    if consumption.empty:
        return no_data_figure("Consumption", "No drive has a known consumption.")

    drives = consumption.groupby("month")["judged_drives"].sum()
    month = drives[drives == drives.max()].index.max()
    types = consumption[consumption["month"] == month]
    drawn = types.nlargest(_MOST_TYPES, "judged_drives").sort_values(
        ["kwh_per_100km_p50", "vehicle_type"], ascending=[False, True]
    )
    figure = new_figure(
        _FRAME_HEIGHT_CM + _ROW_HEIGHT_CM * len(drawn), _title(types), _note(types, drawn)
    )
    spread, hungry = figure.subplots(1, 2, sharey=True, width_ratios=[2, 1])
    _draw_spread(spread, drawn)
    _draw_hungry(hungry, drawn, types)
    spread.set_ylim(len(drawn) - 0.4, -0.6)
    spread.set_yticks(
        range(len(drawn)),
        [
            f"{shortened(row.vehicle_type, _LABEL_CHARACTERS)} ({row.judged_drives:,})"
            for row in drawn.itertuples()
        ],
    )
    spread.set_ylabel("Type of vehicle (drives)")
    heading = f"Single drives, {pd.Period(month):%B %Y}"
    set_heading_with_key(spread, heading, labelled_artists(spread), columns=2)
    set_heading_with_key(hungry, "Energy-hungry", labelled_artists(hungry), columns=1)
    return figure


def _draw_spread(axes: Axes, drawn: pd.DataFrame) -> None:
    low, median, high, highest = (
        drawn[f"kwh_per_100km_p{percentile}"] for percentile in (25, 50, 75, 90)
    )
    places = range(len(drawn))
    axes.barh(places, high - low, 0.55, left=low, color=LIGHT_BLUE, label="Middle half")
    axes.plot(median, places, "|", color=BLUE, markersize=11, markeredgewidth=2.4, label="Median")
    axes.hlines(places, high, highest, color=GREY, linewidth=1.4, label="90th percentile")
    axes.set_xlim(0, 1.06 * highest.max())
    axes.set_xlabel("Consumption (kWh per 100 km)")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=7))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")


def _draw_hungry(axes: Axes, drawn: pd.DataFrame, types: pd.DataFrame) -> None:
    axes.barh(range(len(drawn)), drawn["hungry_share"], 0.55, color=ORANGE)
    overall = types["hungry_drives"].sum() / types["judged_drives"].sum()
    axes.axvline(
        overall,
        color=INK,
        linewidth=1.2,
        linestyle=(0, (4, 2)),
        label=f"All, {percent(overall, 0)}",
    )
    axes.set_xlim(0, max(0.01, 1.15 * drawn["hungry_share"].max(), 1.15 * overall))
    axes.set_xlabel("Share of drives")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=3))
    axes.xaxis.set_major_formatter(percent_ticks(1))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")


def _title(types: pd.DataFrame) -> str:
    hungriest = types.loc[types["hungry_share"].idxmax()]
    if not hungriest["hungry_drives"]:
        return "Consumption by type of vehicle"
    return (
        f"Most energy-hungry drives: {shortened(hungriest['vehicle_type'], _LABEL_CHARACTERS)},"
        f" {percent(hungriest['hungry_share'], 0)} of its drives"
    )


def _note(types: pd.DataFrame, drawn: pd.DataFrame) -> str:
    note = "By the delivered energy, else by the SOC. Short drives consume more per 100 km."
    if len(drawn) < len(types):
        return f"The {len(drawn)} of {len(types):,} types with most drives. {note}"
    return note
