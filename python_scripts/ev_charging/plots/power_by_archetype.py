"""Power of a simulated fleet over time, stacked by archetype."""

import duckdb
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from ev_charging.plots.fleet import (
    HALF_HOUR_H,
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
    GREEN,
    GREY,
    INK,
    LIGHT_BLUE,
    ORANGE,
    PURPLE,
    labelled_artists,
    new_figure,
    no_data_figure,
    set_heading_with_key,
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
        half_hours.total_import_kw as import_kw,
        half_hours.total_import_kw - half_hours.total_net_kw as export_kw,
        {IS_DISPATCHED} as is_dispatched
    from fleet.power_by_archetype as half_hours
    where
        half_hours.resolution = 'half_hour_of_run'
        and half_hours.fleet_part = 'all'
    order by half_hours.run_id, half_hours.archetype, half_hours.half_hour_starts_at
"""
_COLOURS = (BLUE, LIGHT_BLUE, ORANGE, GREEN, PURPLE, GREY)
_OTHERS = "Others"
_NAME_CHARACTERS = 28


def read_fleet_power(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return the power of each run and archetype in every half-hour, in kW."""
    return read_mart(connection, _QUERY)


@styled
def power_by_archetype_figure(power: pd.DataFrame) -> Figure:
    """Draw the power that the fleet takes and gives back over two days, in kW.

    `power` has a row per run_id, archetype and half_hour_starts_at (UTC), with half_hour_local_at,
    import_kw, export_kw and is_dispatched. Export is drawn below zero. Which run and days are
    drawn, see `drawn_days`; the archetypes with least energy are drawn together.
    """
    if power.empty:
        return no_data_figure("Power by archetype", "fleet.power_by_archetype is empty.")

    drawn = drawn_days(power)
    stacks = {
        column: drawn.pivot_table(
            index="half_hour_starts_at", columns="archetype", values=column, fill_value=0.0
        )
        for column in ("import_kw", "export_kw")
    }
    order = (stacks["import_kw"] + stacks["export_kw"]).sum().sort_values(kind="stable").index[::-1]
    imports, exports = (_merged(stack[order]) for stack in stacks.values())
    net_kw = imports.sum(axis=1) - exports.sum(axis=1)
    figure = new_figure(9.4, _title(drawn, net_kw), "Local time.")
    axes = figure.subplots()
    shade_dispatch(axes, drawn)
    place = hours(drawn.drop_duplicates("half_hour_starts_at"), drawn)
    edges = np.append(place, place[-1] + HALF_HOUR_H)
    _stack(axes, edges, imports)
    _stack(axes, edges, -exports)
    axes.stairs(net_kw, edges, baseline=None, color=INK, linewidth=1.2, label="Net")
    axes.axhline(0, color=GREY, linewidth=0.9)
    set_time_axis(axes, drawn)
    # Room above and below the stack, which would end at the edge otherwise.
    axes.use_sticky_edges = False
    axes.autoscale_view(scalex=False)
    axes.set_ylabel("Power (kW)")
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.grid(axis="y")
    key = labelled_artists(axes) | dispatch_key(drawn)
    set_heading_with_key(axes, run_name(power, drawn), key, columns=3)
    return figure


def _merged(power_kw: pd.DataFrame) -> pd.DataFrame:
    """Return as many columns as there are colours, the last ones added up."""
    if power_kw.shape[1] <= len(_COLOURS):
        return power_kw
    kept = power_kw.iloc[:, : len(_COLOURS) - 1]
    others = power_kw.iloc[:, len(_COLOURS) - 1 :].sum(axis=1)
    return kept.assign(**{_OTHERS: others})


def _stack(axes: Axes, edges: np.ndarray, power_kw: pd.DataFrame) -> None:
    below = np.zeros(len(power_kw))
    for name, colour in zip(power_kw, _COLOURS, strict=False):
        top = below + power_kw[name].to_numpy()
        axes.stairs(
            top,
            edges,
            baseline=below,
            fill=True,
            color=colour,
            linewidth=0,
            label=shortened(name, _NAME_CHARACTERS),
        )
        below = top


def _title(drawn: pd.DataFrame, net_kw: pd.Series) -> str:
    local = drawn.drop_duplicates("half_hour_starts_at").set_index("half_hour_starts_at")
    peak = f"The fleet draws up to {_kw(net_kw.max())} on {_clock(local, net_kw.idxmax())}"
    if net_kw.min() < 0:
        return f"{peak}, and gives up to {_kw(-net_kw.min())} on {_clock(local, net_kw.idxmin())}"
    return peak


def _clock(local: pd.DataFrame, half_hour: pd.Timestamp) -> str:
    return f"{local.loc[half_hour, 'half_hour_local_at']:%a %H:%M}"


def _kw(power_kw: float) -> str:
    # The unit stays on the line of its number.
    return f"{power_kw:,.{1 if power_kw < 100 else 0}f}\u00a0kW"
