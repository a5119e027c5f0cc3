"""Uptime of the ports month by month, and which of them miss what is required."""

import duckdb
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from ev_charging.plots.style import (
    GREY,
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
        uptime.port_key,
        uptime.station_id || ' port ' || uptime.evse_id as label,
        uptime.month_start_date,
        uptime.uptime_pct,
        uptime.is_compliant,
        uptime.is_scaled,
        limits.uptime_required_pct
    from reliability.port_uptime_monthly as uptime
    cross join intermediate.int_network__reliability_limits as limits
    where uptime.uptime_pct is not null
    order by uptime.port_key, uptime.month_start_date
"""
_PERCENT = 100
_MOST_NAMES = 6
_MOST_LABELS = 8
_LABEL_CHARACTERS = 18
# Room on the right for the names, and between two of them, in parts of the axes.
_NAME_ROOM = 0.28
_NAME_GAP = 0.075


def read_port_uptime(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return the uptime of every port and month, oldest first."""
    return read_mart(connection, _QUERY)


@styled
def port_uptime_figure(uptime: pd.DataFrame) -> Figure:
    """Draw the uptime of each port over the twelve months that end with a month, in percent.

    `uptime` has a row per port_key and month_start_date: label of the port, uptime_pct (0 to 100),
    is_compliant (above what is required), is_scaled (commissioned for less than a year) and
    uptime_required_pct. Ports below in their last month are highlighted, the worst by name.
    """
    if uptime.empty:
        return no_data_figure("Uptime of ports", "reliability.port_uptime_monthly is empty.")

    months = np.sort(uptime["month_start_date"].unique())
    place = uptime.assign(place=np.searchsorted(months, uptime["month_start_date"]))
    last = place.groupby("port_key").tail(1)
    below = last[~last["is_compliant"].astype(bool)].sort_values(["uptime_pct", "label"])
    required_pct = float(uptime["uptime_required_pct"].iloc[0])
    figure = new_figure(9.6, _title(below, last, required_pct), _note(uptime))
    axes = figure.subplots()
    is_below = place["port_key"].isin(below["port_key"])
    _draw_ports(axes, place[~is_below], LIGHT_BLUE, f"Port above {required_pct:g} %")
    _draw_ports(axes, place[is_below], ORANGE, f"Port at or below {required_pct:g} %")
    axes.axhline(
        required_pct,
        color=GREY,
        linewidth=1.4,
        linestyle=(0, (4, 2)),
        label=f"More than {required_pct:g} % is required",
    )
    low = min(uptime["uptime_pct"].min(), required_pct)
    margin = 0.06 * (_PERCENT - low)
    axes.set_ylim(low - margin, _PERCENT + margin)
    room = _NAME_ROOM if len(below) else 0
    axes.set_xlim(-0.5, (len(months) - 0.5 + 0.5 * room) / (1 - room))
    _name_ports(axes, below.head(_MOST_NAMES))
    step = -(-len(months) // _MOST_LABELS)
    names = [f"{pd.Timestamp(month):%b}\n{pd.Timestamp(month):%Y}" for month in months]
    axes.set_xticks(range(0, len(months), step), names[::step])
    axes.set_xlabel("Last month of twelve")
    axes.set_ylabel("Uptime of the port (%)")
    axes.yaxis.set_major_formatter(percent_ticks(_PERCENT))
    axes.grid(axis="y")
    set_heading_with_key(axes, "Uptime by 23 CFR 680.116(b)", labelled_artists(axes), columns=3)
    return figure


def _draw_ports(axes: Axes, uptime: pd.DataFrame, colour: str, label: str) -> None:
    if uptime.empty:
        return
    lines = [
        port[["place", "uptime_pct"]].to_numpy(float) for _, port in uptime.groupby("port_key")
    ]
    axes.add_collection(LineCollection(lines, colors=colour, linewidths=1.2))
    axes.plot(uptime["place"], uptime["uptime_pct"], "o", color=colour, markersize=4, label=label)


def _name_ports(axes: Axes, below: pd.DataFrame) -> None:
    """Write the names of ports beside their last point, apart from each other."""
    low, high = axes.get_ylim()
    gap = _NAME_GAP * (high - low)
    height = low + gap / 2
    for port in below.itertuples():
        height = max(port.uptime_pct, height)
        axes.annotate(
            f"{shortened(port.label, _LABEL_CHARACTERS)}: {port.uptime_pct:.1f} %",
            (port.place, port.uptime_pct),
            (axes.dataLim.x1 + 0.04 * np.diff(axes.get_xlim())[0], height),
            va="center",
            color=ORANGE,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
            arrowprops={"arrowstyle": "-", "color": ORANGE, "linewidth": 0.5},
        )
        height += gap


def _title(below: pd.DataFrame, last: pd.DataFrame, required_pct: float) -> str:
    if below.empty:
        return f"Every port is up for more than {required_pct:g} % of the time"
    verb = "is" if len(below) == 1 else "are"
    return (
        f"{len(below):,} of {len(last):,} ports {verb} not up for more than {required_pct:g} % of"
        " the time"
    )


def _note(uptime: pd.DataFrame) -> str:
    sentence = "Outages that don't count by the rule, such as planned maintenance, are left out."
    if uptime["is_scaled"].astype(bool).any():
        return f"{sentence} Ports observed for less than a year are scaled to what was observed."
    return sentence
