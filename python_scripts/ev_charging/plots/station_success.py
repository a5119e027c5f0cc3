"""How often charging works at each station, with the uncertainty of that figure."""

import duckdb
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ev_charging.experiment.wording import percent
from ev_charging.plots.style import (
    BLUE,
    GREEN,
    GREY,
    LIGHT_GREY,
    ORANGE,
    labelled_artists,
    new_figure,
    no_data_figure,
    percent_ticks,
    set_heading_with_key,
    shortened,
    styled,
)
from ev_charging.reliability.comparison import BETTER, WORSE
from ev_charging.warehouse import read_mart

_QUERY = """
    select
        coalesce(stations.station_name, stations.station_id) as label,
        stations.sessions_known,
        stations.sessions_succeeded,
        stations.success_rate,
        stations.success_rate_low,
        stations.success_rate_high,
        comparison.verdict,
        comparison.shrunken_success_rate
    from reliability.station_reliability as stations
    inner join reliability.station_comparison as comparison
        on stations.station_key = comparison.station_key
    where stations.sessions_known > 0
    order by stations.success_rate, stations.sessions_known desc, stations.station_id
"""
_MOST_STATIONS = 25
_ROW_HEIGHT_CM = 0.52
_FRAME_HEIGHT_CM = 6.2
_LABEL_CHARACTERS = 28
_LOOKS = {
    WORSE: ("Reliably worse than the others", ORANGE),
    BETTER: ("Reliably better", GREEN),
}
_OTHER_LOOK = ("Not distinguishable, or too few sessions", BLUE)


def read_station_success(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return the success rate of every listed station with a known outcome, the lowest first."""
    return read_mart(connection, _QUERY)


@styled
def station_success_figure(stations: pd.DataFrame) -> Figure:
    """Draw the success rate of each station with its Wilson interval, the lowest on top.

    `stations` has a row per station, ordered by success_rate: label, sessions_known,
    sessions_succeeded, success_rate, success_rate_low, success_rate_high (0 to 1), verdict and
    shrunken_success_rate, by which the stations are chosen where there are many: a rate of few
    sessions is low by chance.
    """
    if stations.empty:
        return no_data_figure("Success of stations", "No session has a known outcome.")

    drawn = stations.loc[
        stations["shrunken_success_rate"].nsmallest(_MOST_STATIONS).index
    ].sort_index()
    figure = new_figure(
        _FRAME_HEIGHT_CM + _ROW_HEIGHT_CM * len(drawn), _title(stations), _note(stations, drawn)
    )
    axes = figure.subplots()
    network = stations["sessions_succeeded"].sum() / stations["sessions_known"].sum()
    axes.axvline(
        network,
        color=GREY,
        linewidth=1.2,
        linestyle=(0, (4, 2)),
        label=f"All stations, {percent(network)}",
    )
    _draw_stations(axes, drawn)
    axes.set_ylim(len(drawn) - 0.4, -0.6)
    axes.set_yticks(
        range(len(drawn)),
        [
            f"{shortened(row.label, _LABEL_CHARACTERS)} ({row.sessions_known:,})"
            for row in drawn.itertuples()
        ],
    )
    axes.tick_params(axis="y", length=0)
    axes.set_ylabel("Station (sessions of known outcome)")
    axes.set_xlim(max(0, drawn["success_rate_low"].min() - 0.02), 1.005)
    axes.set_xlabel("Sessions that succeeded (% of those with a known outcome)")
    axes.xaxis.set_major_formatter(percent_ticks(1))
    axes.grid(axis="x")
    heading = "Success rate and its 95 % interval"
    set_heading_with_key(axes, heading, labelled_artists(axes), columns=1)
    return figure


def _draw_stations(axes: Axes, drawn: pd.DataFrame) -> None:
    for place, row in enumerate(drawn.itertuples()):
        label, colour = _LOOKS.get(row.verdict, _OTHER_LOOK)
        if place % 2 == 0:
            axes.axhspan(place - 0.5, place + 0.5, color=LIGHT_GREY, alpha=0.35, linewidth=0)
        axes.plot(
            [row.success_rate_low, row.success_rate_high],
            [place, place],
            color=colour,
            linewidth=1.8,
        )
        axes.plot(row.success_rate, place, "o", color=colour, markersize=4.5, label=label)


def _title(stations: pd.DataFrame) -> str:
    worse = (stations["verdict"] == WORSE).sum()
    if not worse:
        return "No station is reliably worse than the others"
    verb = "is" if worse == 1 else "are"
    return f"{worse:,} of {len(stations):,} stations {verb} reliably worse than the others"


def _note(stations: pd.DataFrame, drawn: pd.DataFrame) -> str:
    sentence = (
        "The interval is that of the station's own sessions; the colour compares it with all"
        " others, and takes into account how many are compared."
    )
    if len(drawn) == len(stations):
        return sentence
    return f"The {len(drawn)} of {len(stations):,} stations with the lowest rate. {sentence}"
