"""Why charging fails, and at which stations."""

import duckdb
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from ev_charging.experiment.wording import percent
from ev_charging.plots.style import (
    BLUE,
    GREEN,
    GREY,
    LIGHT_BLUE,
    ORANGE,
    labelled_artists,
    new_figure,
    no_data_figure,
    set_heading_with_key,
    shortened,
    styled,
)
from ev_charging.warehouse import read_mart

_QUERY = """
    select
        failures.station_key,
        coalesce(stations.station_name, stations.station_id) as label,
        failures.failure_class,
        cast(sum(failures.sessions) as bigint) as sessions,
        stations.sessions_known
    from reliability.station_failures as failures
    inner join reliability.station_reliability as stations
        on failures.station_key = stations.station_key
    group by
        failures.station_key, label, failures.failure_class, stations.sessions_known
    order by failures.station_key, failures.failure_class
"""
_MOST_STATIONS = 20
_ROW_HEIGHT_CM = 0.55
_FRAME_HEIGHT_CM = 5.4
_LABEL_CHARACTERS = 32
_LOOKS = {
    "no_power": ("Power never started", ORANGE),
    "no_energy": ("No energy metered", LIGHT_BLUE),
    "stopped": ("Stopped by a fault", BLUE),
    "authorization_rejected": ("Token rejected", GREEN),
    "reported": ("Reported, no reason", GREY),
}


def read_failure_reasons(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return the failed sessions of each station by class of their reason."""
    return read_mart(connection, _QUERY)


@styled
def failure_reasons_figure(failures: pd.DataFrame) -> Figure:
    """Draw the failed sessions of each station, stacked by reason, the most on top.

    `failures` has a row per station_key and failure_class: label of the station, sessions that
    failed, and sessions_known of the station. The title counts all of them.
    """
    if failures.empty:
        return no_data_figure("Failures by reason", "reliability.station_failures is empty.")

    counts = failures.pivot_table(
        index=["station_key", "label"], columns="failure_class", values="sessions", fill_value=0
    )
    counts = counts.reindex(columns=list(_LOOKS), fill_value=0)
    counts = counts.loc[counts.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    drawn = counts.head(_MOST_STATIONS)
    figure = new_figure(
        _FRAME_HEIGHT_CM + _ROW_HEIGHT_CM * len(drawn), _title(counts), _note(failures, drawn)
    )
    axes = figure.subplots()
    before = np.zeros(len(drawn))
    for failure_class, (label, colour) in _LOOKS.items():
        width = drawn[failure_class].to_numpy(float)
        if width.any():
            axes.barh(range(len(drawn)), width, 0.72, left=before, color=colour, label=label)
        before += width
    axes.set_ylim(len(drawn) - 0.4, -0.6)
    axes.set_yticks(
        range(len(drawn)),
        [shortened(label, _LABEL_CHARACTERS) for label in drawn.index.get_level_values("label")],
    )
    axes.tick_params(axis="y", length=0)
    axes.set_ylabel("Station")
    axes.set_xlabel("Failed sessions")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.grid(axis="x")
    set_heading_with_key(axes, "Why they failed", labelled_artists(axes), columns=3)
    return figure


def _title(counts: pd.DataFrame) -> str:
    by_reason = counts.sum()
    reason, sessions = by_reason.idxmax(), by_reason.max()
    share = percent(sessions / by_reason.sum(), 0)
    return f"Most frequent failure: {_LOOKS[reason][0].lower()} ({share} of {by_reason.sum():,.0f})"


def _note(failures: pd.DataFrame, drawn: pd.DataFrame) -> str:
    stations = failures.drop_duplicates("station_key")
    sentences = [
        f"Of {stations['sessions_known'].sum():,} sessions of known outcome at the stations where"
        " any failed. Attempts that never became a session are not in it."
    ]
    if len(drawn) < len(stations):
        sentences.insert(0, f"The {len(drawn)} of {len(stations):,} stations with most failures.")
    return " ".join(sentences)
