"""How long drivers wait for power, by the way they begin to charge."""

import duckdb
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ev_charging.plots.style import (
    BLUE,
    GREEN,
    LIGHT_GREY,
    ORANGE,
    PURPLE,
    labelled_artists,
    new_figure,
    no_data_figure,
    percent_ticks,
    set_heading_with_key,
    styled,
)
from ev_charging.warehouse import read_mart

_QUERY = """
    select
        attempt_mode,
        cast(charge_start_seconds as double) as seconds,
        count(*) as attempts
    from reliability.fct_charge_attempts
    where has_power_delivery and charge_start_seconds is not null
    group by attempt_mode, seconds
    order by attempt_mode, seconds
"""
_LOOKS = {
    "plug_in_first": ("Plug in first", BLUE),
    "authorize_first": ("Authorise first", ORANGE),
    "remote_start": ("Started by app", GREEN),
    "cached_authorization": ("Known to the charger", PURPLE),
}
_PERCENTILES = (10, 25, 50, 75)
# The slowest hundredth would squeeze all others.
_SHOWN = 0.99


def read_charge_start_times(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return how many attempts of each mode waited how long for power, in seconds."""
    return read_mart(connection, _QUERY)


@styled
def charge_start_time_figure(waits: pd.DataFrame) -> Figure:
    """Draw the share of attempts that have power by a time, one line per mode.

    `waits` has a row per attempt_mode and seconds, ordered: attempts with power after that time.
    The percentiles that are reported are marked on each line.
    """
    if waits.empty:
        return no_data_figure("Wait for power", "No attempt in fct_charge_attempts had power.")

    end = _percentile(waits.sort_values("seconds"), 100 * _SHOWN)
    figure = new_figure(10.4, _title(waits), _note(waits, end))
    axes = figure.subplots()
    for percentile in _PERCENTILES:
        axes.axhline(percentile / 100, color=LIGHT_GREY, linewidth=0.9)
    for mode, (label, colour) in _LOOKS.items():
        own = waits[waits["attempt_mode"] == mode]
        if not own.empty:
            _draw_mode(axes, own, label, colour)
    axes.set_xlim(0, 1.02 * max(end, 1))
    axes.set_ylim(0, 1.03)
    axes.set_yticks([0, *(percentile / 100 for percentile in _PERCENTILES), 1])
    axes.yaxis.set_major_formatter(percent_ticks(1))
    axes.set_xlabel("Seconds from the begin of the attempt to power")
    axes.set_ylabel("Attempts with power by then\n(% of those that got it)")
    heading = "Way of beginning: median wait (attempts)"
    set_heading_with_key(axes, heading, labelled_artists(axes), columns=2)
    return figure


def _draw_mode(axes: Axes, waits: pd.DataFrame, label: str, colour: str) -> None:
    attempts = waits["attempts"].to_numpy(float)
    seconds = waits["seconds"].to_numpy(float)
    axes.step(
        [0, *seconds],
        [0, *(attempts.cumsum() / attempts.sum())],
        where="post",
        color=colour,
        linewidth=1.8,
        label=f"{label}: {_percentile(waits, 50):,.0f} s ({int(attempts.sum()):,})",
    )
    axes.plot(
        [_percentile(waits, percentile) for percentile in _PERCENTILES],
        [percentile / 100 for percentile in _PERCENTILES],
        "o",
        color=colour,
        markersize=4.5,
        clip_on=False,
    )


def _percentile(waits: pd.DataFrame, percentile: float) -> float:
    """Return the shortest time by which that share of the attempts has power."""
    share = waits["attempts"].cumsum() / waits["attempts"].sum()
    return float(waits["seconds"].iloc[np.argmax(share >= percentile / 100 - 1e-12)])


def _title(waits: pd.DataFrame) -> str:
    ordered = waits.sort_values("seconds")
    half, most = _percentile(ordered, 50), _percentile(ordered, 75)
    return f"Half have power within {half:,.0f} s, three quarters within {most:,.0f} s"


def _note(waits: pd.DataFrame, end: float) -> str:
    sentence = "Attempts that never got power are not in it."
    beyond = int(waits.loc[waits["seconds"] > end, "attempts"].sum())
    if not beyond:
        return sentence
    return f"{sentence} {beyond:,} that waited for more than {end:,.0f} s are beyond the axis."
