"""How much energy sessions take, and how long they stay connected."""

import math
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from ev_charging.plots.style import (
    BLUE,
    GREY,
    LIGHT_BLUE,
    ORANGE,
    new_figure,
    no_data_figure,
    say_no_data,
    styled,
)
from ev_charging.warehouse import read_mart

# Sources differ in who charges where, so their sessions are never put together.
_QUERY = """
    with

    sources as (

        select source_system
        from core.fct_charging_sessions
        group by source_system
        order by source_system <> 'residential', source_system
        limit 1

    )

    select
        source_system,
        energy_kwh,
        connected_minutes,
        outcome = 'open' as is_open,
        coalesce(is_over_long, false) as is_over_long
    from core.fct_charging_sessions
    where source_system in (select source_system from sources)
    order by session_id
"""
_MINUTES_PER_HOUR = 60
# A vehicle logs when it charges, and not how long it stays plugged in.
_TELEMATICS = "telematics"
# Beyond this many times the 99th percentile, the longest values would squeeze all others.
_TAIL = 1.5
_BINS = 40
_BIN_WIDTHS = (0.1, 0.25, 0.5, 1, 2, 2.5, 5, 10, 20, 25, 50, 100)


@dataclass(frozen=True)
class _Panel:
    heading: str
    label: str
    unit: str
    values: pd.Series


def read_sessions(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return energy in kWh, connection time in minutes and the flags of the sessions of a source.

    The source is `residential` where it has sessions, else the first by name that has.
    """
    return read_mart(connection, _QUERY)


@styled
def session_distributions_figure(sessions: pd.DataFrame) -> Figure:
    """Draw histograms of energy (kWh) and connection time (hours) side by side.

    Of source `telematics` the time is that of charging.

    `sessions` has a row per session of one source: source_system, energy_kwh, connected_minutes,
    is_open, is_over_long. An open session has energy but no connection time; the time of an
    over-long one, which more likely tells of a lost plug-out than of a visit, stays out too.
    """
    if sessions.empty:
        return no_data_figure("Charging sessions", "core.fct_charging_sessions is empty.")

    is_ended = ~(sessions["is_open"].astype(bool) | sessions["is_over_long"].astype(bool))
    energy = _Panel("Energy per session", "Energy", "kWh", sessions["energy_kwh"].dropna())
    source = sessions["source_system"].iloc[0]
    time = "Charging time" if source == _TELEMATICS else "Connection time"
    connection = _Panel(
        f"{time} per session",
        time,
        "h",
        sessions.loc[is_ended, "connected_minutes"].dropna() / _MINUTES_PER_HOUR,
    )
    panels = (energy, connection)
    ends = [_axis_end(panel.values) for panel in panels]
    figure = new_figure(8.6, _title(source, energy, connection), _note(sessions, panels, ends))
    for axes, panel, end in zip(figure.subplots(1, 2), panels, ends, strict=True):
        _draw_panel(axes, panel, end)
    return figure


def _draw_panel(axes: Axes, panel: _Panel, end: float) -> None:
    axes.set_title(panel.heading, loc="left", color=GREY)
    if panel.values.empty:
        say_no_data(axes, "No session has this value.")
        return
    width = _bin_width(end)
    bins = np.arange(math.ceil(end / width) + 1) * width
    _, _, bars = axes.hist(
        panel.values, bins=bins, color=LIGHT_BLUE, edgecolor="white", linewidth=0.5
    )
    median, mean = panel.values.median(), panel.values.mean()
    axes.axvline(median, color=BLUE, linewidth=1.8, label=f"Median {median:,.1f} {panel.unit}")
    axes.axvline(
        mean,
        color=ORANGE,
        linewidth=1.8,
        linestyle=(0, (4, 2)),
        label=f"Mean {mean:,.1f} {panel.unit}",
    )
    axes.set_xlim(0, bins[-1])
    # Room above the highest bar for the legend.
    axes.set_ylim(0, 1.3 * max(bar.get_height() for bar in bars))
    axes.set_xlabel(f"{panel.label} ({panel.unit})")
    axes.set_ylabel(f"Sessions per {width:g} {panel.unit}")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.grid(axis="y")
    axes.legend(loc="upper right", handlelength=1.8)


def _axis_end(values: pd.Series) -> float:
    if values.empty:
        return 0.0
    usual, largest = float(values.quantile(0.99)), float(values.max())
    return usual if largest > _TAIL * usual > 0 else max(largest, _BIN_WIDTHS[0])


def _bin_width(end: float) -> float:
    return next((width for width in _BIN_WIDTHS if end / width <= _BINS), end / _BINS)


def _title(source: str, energy: _Panel, connection: _Panel) -> str:
    parts = []
    if not energy.values.empty:
        parts.append(f"{energy.values.median():,.1f} kWh")
    if not connection.values.empty:
        doing = "charging" if source == _TELEMATICS else "connected"
        parts.append(f"{doing} for {connection.values.median():,.1f} h")
    if not parts:
        return f"Sessions ({source}) without energy and {connection.label.lower()}"
    return f"Median session ({source}): {', '.join(parts)}"


def _note(sessions: pd.DataFrame, panels: tuple[_Panel, ...], ends: list[float]) -> str:
    is_open = sessions["is_open"].astype(bool)
    is_over_long = sessions["is_over_long"].astype(bool) & ~is_open
    sentences = [
        f"{len(sessions):,} sessions, of which {is_open.sum():,} open and {is_over_long.sum():,}"
        " over-long: only their energy counts."
    ]
    for panel, end in zip(panels, ends, strict=True):
        width = _bin_width(end) if end else 1
        shown_to = math.ceil(end / width) * width
        beyond = int((panel.values > shown_to).sum())
        if beyond:
            sentences.append(
                f"{beyond:,} above {shown_to:,.0f} {panel.unit} are not drawn; mean and median"
                " count them."
            )
    return " ".join(sentences)
