"""State of charge against time: the rebuilt timeline of one made-up vehicle."""

import duckdb
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
    percent_ticks,
    set_heading_with_key,
    styled,
)
from ev_charging.warehouse import read_mart

# A week of one vehicle is personal data, also without its name. So only made-up logs are drawn,
# which alone say what damage they carry. Of their weeks without a contradiction the one with most
# kinds of segments shows most, and no id leaves the query.
_QUERY = """
    with

    segments as (

        select
            *,
            date_trunc('week', started_at) as week
        from intermediate.int_telematics__timeline
        where exists (select * from quality.telematics_damage_scores)

    ),

    drawn_week as (

        select
            vehicle_id,
            week
        from segments
        group by vehicle_id, week
        having not bool_or(segment_kind = 'contradiction')
        order by count(distinct segment_kind) desc, count(*) desc, week, vehicle_id
        limit 1

    )

    select
        segments.segment_kind,
        extract(epoch from segments.started_at - segments.week) / 3600 as start_hour,
        extract(epoch from segments.ended_at - segments.week) / 3600 as end_hour,
        segments.soc_start_pct,
        segments.soc_end_pct
    from segments
    inner join drawn_week
        on
            segments.vehicle_id = drawn_week.vehicle_id
            and segments.week = drawn_week.week
    order by segments.segment_number
"""
_LOOKS = {
    "drive": ("Drive", BLUE, "-"),
    "charge": ("Charge", GREEN, "-"),
    "standing": ("Standing", GREY, "-"),
    "standby_loss": ("Standby loss", LIGHT_BLUE, "-"),
    "inferred_session": ("Charge that nobody logged", ORANGE, (0, (2, 1))),
    "inferred_drive": ("Drive that nobody logged", PURPLE, (0, (2, 1))),
    "contradiction": ("Contradiction", INK, (0, (1, 1))),
}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY_HOURS = 24


def read_timeline(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return the segments of the week that is drawn, none if the logs aren't made-up ones."""
    return read_mart(connection, _QUERY)


@styled
def soc_timeline_figure(segments: pd.DataFrame) -> Figure:
    """Draw the state of charge (% of the battery) of one vehicle over a week.

    `segments` has the segments of its timeline in order: segment_kind, start_hour and end_hour
    since Monday 0:00 UTC, soc_start_pct and soc_end_pct (missing where it isn't known).
    """
    if segments.empty:
        return no_data_figure(
            "Timeline of a vehicle",
            "A single vehicle is drawn only from made-up logs: a real one could be known by it.",
            "not drawn",
        )

    figure = new_figure(9.2, _title(segments), _note(segments))
    axes = figure.subplots()
    for kind, (label, colour, style) in _LOOKS.items():
        _draw_kind(axes, segments[segments["segment_kind"] == kind], label, colour, style)
    axes.set_xlim(0, max(len(_DAYS) * _DAY_HOURS, segments["end_hour"].max()))
    midnights = np.arange(len(_DAYS)) * _DAY_HOURS
    axes.set_xticks(midnights, _DAYS, ha="left")
    axes.set_xlabel("Time (midnights in UTC)")
    axes.set_ylim(0, 104)
    axes.set_ylabel("State of charge (% of the battery)")
    axes.yaxis.set_major_formatter(percent_ticks(100))
    axes.grid()
    set_heading_with_key(axes, "One made-up vehicle, one week", labelled_artists(axes), columns=3)
    return figure


def _draw_kind(axes: Axes, segments: pd.DataFrame, label: str, colour: str, style) -> None:
    """Draw the segments of one kind as a line that is broken between them."""
    if segments.empty:
        return
    gap = np.full(len(segments), np.nan)
    hours = np.column_stack([segments["start_hour"], segments["end_hour"], gap])
    soc = np.column_stack([segments["soc_start_pct"], segments["soc_end_pct"], gap])
    axes.plot(
        hours.astype(float).ravel(),
        soc.astype(float).ravel(),
        color=colour,
        linestyle=style,
        linewidth=2,
        label=label,
        solid_capstyle="butt",
    )


def _title(segments: pd.DataFrame) -> str:
    kinds = segments["segment_kind"].value_counts()
    charges, inferred = kinds.get("charge", 0), kinds.get("inferred_session", 0)
    title = f"{charges} logged {'charge' if charges == 1 else 'charges'} in a week"
    if inferred:
        return f"{title}, and {inferred} that nobody logged"
    return title


def _note(segments: pd.DataFrame) -> str:
    if segments[["soc_start_pct", "soc_end_pct"]].isna().to_numpy().any():
        return "The line is broken where the state of charge isn't known."
    return ""
