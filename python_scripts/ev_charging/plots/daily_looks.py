"""Effect of an experiment as it stood after each day, with and without a guard against peeking."""

import textwrap

import duckdb
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ev_charging.plots.experiment import comparison_name, first_comparison, shown_unit
from ev_charging.plots.style import (
    BLUE,
    GREY,
    LIGHT_BLUE,
    ORANGE,
    labelled_artists,
    new_figure,
    no_data_figure,
    set_heading_with_key,
    styled,
)
from ev_charging.warehouse import read_mart

_QUERY = """
    select
        looks.experiment_id,
        looks.treatment_variant,
        looks.metric,
        metrics.label,
        metrics.unit,
        looks.day_number,
        looks.difference,
        looks.fixed_ci_low,
        looks.fixed_ci_high,
        looks.anytime_ci_low,
        looks.anytime_ci_high
    from experiment.experiment_looks as looks
    inner join reference.experiment_metrics as metrics
        on looks.metric = metrics.metric
    where metrics.role = 'primary'
    order by looks.experiment_id, looks.treatment_variant, looks.metric, looks.day_number
"""
_PANEL_HEIGHT_CM = 5.4
_FRAME_HEIGHT_CM = 4
_LABEL_CHARACTERS = 24
_BOUNDS = ["fixed_ci_low", "fixed_ci_high", "anytime_ci_low", "anytime_ci_high"]
# The bands of the first days are so wide that they would flatten all others.
_SHARE_OF_DAYS_IN_VIEW = 0.8


def read_looks(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return a row per experiment, treatment arm, primary metric and day, oldest day first."""
    return read_mart(connection, _QUERY)


@styled
def daily_looks_figure(looks: pd.DataFrame) -> Figure:
    """Draw the difference to control after each day with both of its intervals, by metric.

    `looks` has a row per experiment_id, treatment_variant, metric and day_number (1 = first local
    day), days in order: label, unit, difference, fixed_ci_low and fixed_ci_high (the fixed-horizon
    interval), anytime_ci_low and anytime_ci_high (the always-valid one), in units of the metric;
    missing where there is nothing to compare yet.
    """
    looks = looks.assign(**{name: looks[name].astype(float) for name in ["difference", *_BOUNDS]})
    comparable = looks.dropna(subset=["difference"])
    if comparable.empty:
        return no_data_figure("Daily looks", "experiment.experiment_looks has no day to compare.")

    drawn = first_comparison(comparable)
    metrics = [days for _, days in drawn.groupby("metric")]
    figure = new_figure(
        _FRAME_HEIGHT_CM + _PANEL_HEIGHT_CM * len(metrics),
        _title(metrics),
        "Who looks every day and stops at the first interval without 0 is fooled by the narrow band"
        " far more often than it promises; the wide one holds for daily looks over the planned"
        " length.",
    )
    panels = figure.subplots(len(metrics), 1, sharex=True, squeeze=False)[:, 0]
    for axes, days in zip(panels, metrics, strict=True):
        _draw_metric(axes, days)
    panels[-1].set_xlabel("Day of the experiment (1 = first local day)")
    heading = comparison_name(comparable)
    set_heading_with_key(panels[0], heading, labelled_artists(panels[0]), columns=2)
    return figure


def _draw_metric(axes: Axes, days: pd.DataFrame) -> None:
    factor, unit = shown_unit(days["unit"].iloc[0])
    day = days["day_number"]
    axes.fill_between(
        day,
        factor * days["anytime_ci_low"],
        factor * days["anytime_ci_high"],
        color=LIGHT_BLUE,
        alpha=0.6,
        linewidth=0,
        label="Valid at every look",
    )
    for bound, label in (
        ("fixed_ci_low", "Valid at one look, fixed in advance"),
        ("fixed_ci_high", None),
    ):
        axes.plot(
            day,
            factor * days[bound],
            color=ORANGE,
            linestyle=(0, (4, 2)),
            linewidth=1.4,
            label=label,
        )
    axes.plot(
        day,
        factor * days["difference"],
        color=BLUE,
        marker="o",
        markersize=4,
        label="Difference to control",
    )
    axes.axhline(0, color=GREY, linewidth=0.9)
    axes.set_ylim(*_view(factor * days[["difference", *_BOUNDS]]))
    label = textwrap.fill(days["label"].iloc[0], _LABEL_CHARACTERS)
    axes.set_ylabel(f"{label}\n({unit})")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(x=0.02)
    axes.grid(axis="y")


def _view(values: pd.DataFrame) -> tuple[float, float]:
    low = min(values.min(axis=1).quantile(1 - _SHARE_OF_DAYS_IN_VIEW), 0.0)
    high = max(values.max(axis=1).quantile(_SHARE_OF_DAYS_IN_VIEW), 0.0)
    # Also a difference of nothing but zeros needs a scale.
    margin = 0.08 * (high - low) or 1.0
    return low - margin, high + margin


def _first_day(days: pd.DataFrame, low: str, high: str) -> int | None:
    """Return the first day whose interval excludes 0, None if there is none."""
    found = days.loc[(days[low] > 0) | (days[high] < 0), "day_number"]
    return None if found.empty else int(found.iloc[0])


def _title(metrics: list[pd.DataFrame]) -> str:
    certain = [
        f"{days['label'].iloc[0]} from day {day}"
        for days in metrics
        if (day := _first_day(days, "anytime_ci_low", "anytime_ci_high")) is not None
    ]
    if certain:
        return f"Effect that holds at every look: {'; '.join(certain)}"
    last_day = max(int(days["day_number"].max()) for days in metrics)
    return f"No effect holds at every look up to day {last_day}"
