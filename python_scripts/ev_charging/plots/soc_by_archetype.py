"""State of charge of a simulated fleet over time, by archetype."""

import duckdb
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ev_charging.plots.fleet import (
    IS_DISPATCHED,
    WINDOWS,
    dispatch_key,
    drawn_days,
    hours,
    run_name,
    set_time_axis,
    shade_dispatch,
)
from ev_charging.plots.style import (
    BLUE,
    GREY,
    LIGHT_BLUE,
    ORANGE,
    labelled_artists,
    new_figure,
    no_data_figure,
    percent_ticks,
    shortened,
    styled,
)
from ev_charging.warehouse import read_mart

_QUERY = f"""
    with

    {WINDOWS}

    select
        half_hours.run_id,
        half_hours.archetype,
        half_hours.half_hour_starts_at,
        half_hours.half_hour_local_at,
        half_hours.cars,
        half_hours.soc_pct_p10,
        half_hours.soc_pct_p50,
        half_hours.soc_pct_p90,
        connected.soc_pct_p50 as connected_soc_pct_p50,
        {IS_DISPATCHED} as is_dispatched
    from fleet.soc_by_archetype as half_hours
    inner join fleet.soc_by_archetype as connected
        using (run_id, archetype, resolution, half_hour_starts_at)
    where
        half_hours.resolution = 'half_hour_of_run'
        and half_hours.fleet_part = 'all'
        and connected.fleet_part = 'connected'
    order by half_hours.run_id, half_hours.archetype, half_hours.half_hour_starts_at
"""
_COLUMNS = 2
_PANEL_HEIGHT_CM = 3.5
_FRAME_HEIGHT_CM = 4.4
_MOST_ARCHETYPES = 8
_LABEL_CHARACTERS = 30
# A tenth of fewer is no car.
_MANY_CARS = 10


def read_soc(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return the state of charge of each run and archetype at the begin of every half-hour."""
    return read_mart(connection, _QUERY)


@styled
def soc_by_archetype_figure(soc: pd.DataFrame) -> Figure:
    """Draw the state of charge (% of the battery) over two days, one panel per archetype.

    `soc` has a row per run_id, archetype and half_hour_starts_at (UTC), with half_hour_local_at,
    cars, soc_pct_p10, soc_pct_p50 and soc_pct_p90 of all cars, connected_soc_pct_p50 of those who
    are plugged in (missing where nobody is) and is_dispatched. Which run and days are drawn, see
    `drawn_days`.
    """
    if soc.empty:
        return no_data_figure("State of charge", "fleet.soc_by_archetype is empty.")

    drawn = drawn_days(soc)
    largest = drawn.groupby("archetype")["cars"].max().sort_values(ascending=False, kind="stable")
    names = largest.index[:_MOST_ARCHETYPES]
    columns = min(_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    figure = new_figure(_FRAME_HEIGHT_CM + _PANEL_HEIGHT_CM * rows, _title(drawn))
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, name in zip(panels, names, strict=False):
        _draw_archetype(axes, drawn[drawn["archetype"] == name], drawn)
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    for axes in panels[len(names) - columns : len(names)]:
        axes.tick_params(labelbottom=True)
    figure.supylabel("State of charge (% of the battery)", fontsize=9)
    key = labelled_artists(panels[0]) | dispatch_key(drawn)
    legend = figure.legend(
        key.values(),
        key.keys(),
        title=_heading(soc, drawn, len(largest)),
        loc="outside lower left",
        ncols=len(key),
        alignment="left",
        handlelength=1.6,
        borderpad=0,
    )
    legend.get_title().set_color(GREY)
    return figure


def _draw_archetype(axes: Axes, soc: pd.DataFrame, drawn: pd.DataFrame) -> None:
    place = hours(soc, drawn)
    shade_dispatch(axes, drawn)
    axes.fill_between(
        place,
        soc["soc_pct_p10"],
        soc["soc_pct_p90"],
        color=LIGHT_BLUE,
        alpha=0.6,
        linewidth=0,
        label="Eight of ten cars",
    )
    axes.plot(place, soc["soc_pct_p50"], color=BLUE, linewidth=1.6, label="All cars, median")
    axes.plot(
        place,
        soc["connected_soc_pct_p50"],
        color=ORANGE,
        linewidth=1.4,
        linestyle=(0, (4, 2)),
        label="Plugged in, median",
    )
    name = shortened(soc["archetype"].iloc[0], _LABEL_CHARACTERS)
    axes.text(
        0.02,
        0.05,
        f"{name} ({soc['cars'].max():,.0f})",
        transform=axes.transAxes,
        color=GREY,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
    )
    axes.set_ylim(0, 105)
    axes.yaxis.set_major_formatter(percent_ticks(100))
    axes.grid(axis="y")
    set_time_axis(axes, drawn)


def _title(drawn: pd.DataFrame) -> str:
    known = drawn.dropna(subset=["soc_pct_p10"])
    if known.empty:
        return "No state of charge is known on these days"
    lowest = known.loc[known["soc_pct_p10"].idxmin()]
    if lowest["cars"] < _MANY_CARS:
        return f"Lowest state of charge: {lowest['soc_pct_p10']:.0f} %, {lowest['archetype']}"
    return (
        f"At any time nine of ten cars of every archetype have {lowest['soc_pct_p10']:.0f} % or"
        f" more; lowest: {lowest['archetype']}"
    )


def _heading(soc: pd.DataFrame, drawn: pd.DataFrame, archetypes: int) -> str:
    heading = f"{run_name(soc, drawn)}, local time; in brackets the number of cars"
    if archetypes > _MOST_ARCHETYPES:
        return f"{heading}; {_MOST_ARCHETYPES} of {archetypes:,} archetypes"
    return heading
