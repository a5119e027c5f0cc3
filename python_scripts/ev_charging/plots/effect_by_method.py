"""Effect of an experiment on each metric, as wrong and as correct methods see it."""

import textwrap
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ev_charging.plots.experiment import comparison_name, first_comparison
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
    styled,
)
from ev_charging.warehouse import read_mart

_QUERY = """
    select
        results.experiment_id,
        results.treatment_variant,
        results.metric,
        metrics.label,
        results.role,
        results.method,
        results.relative_difference,
        results.relative_ci_low,
        results.relative_ci_high,
        results.design_effect
    from experiment.experiment_results as results
    inner join reference.experiment_metrics as metrics
        on results.metric = metrics.metric
    order by results.experiment_id, results.treatment_variant, results.metric, results.method
"""
_PERCENT = 100
_FURTHEST_PCT = 100
_ROW_HEIGHT_CM = 1.45
_FRAME_HEIGHT_CM = 4.6
_LABEL_CHARACTERS = 21


@dataclass(frozen=True)
class _Look:
    label: str
    colour: str
    marker: str
    offset: float


_NAIVE = "naive"
_LOOKS = {
    _NAIVE: _Look("Wrong: treats sessions as independent", ORANGE, "x", -0.27),
    "delta": _Look("By users (delta method)", BLUE, "o", -0.09),
    "hc3": _Look("By users (regression, HC3)", GREY, "s", 0.09),
    "cuped": _Look("By users, with CUPED", GREEN, "D", 0.27),
}
# The closed form that fits the metric is drawn for all that take sessions as independent.
_NAIVE_METHODS = ("naive_two_proportion_z", "naive_welch")


def read_effects(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return a row per experiment, treatment arm, metric and method."""
    return read_mart(connection, _QUERY)


@styled
def effect_by_method_figure(effects: pd.DataFrame) -> Figure:
    """Draw the relative difference to control with its interval, in percent, by metric and method.

    `effects` has a row per experiment_id, treatment_variant, metric and method: label, role,
    relative_difference, relative_ci_low, relative_ci_high (fractions of control) and
    design_effect of the metric. A method without a difference is left out.
    """
    comparable = effects.dropna(subset=["relative_difference"])
    if comparable.empty:
        return no_data_figure("Effects", "experiment.experiment_results compares nothing.")

    drawn = _drawn_effects(first_comparison(comparable))
    metrics = drawn.drop_duplicates("metric")
    limit_pct = _limit_pct(drawn)
    figure = new_figure(
        _FRAME_HEIGHT_CM + _ROW_HEIGHT_CM * len(metrics), _title(drawn), _note(drawn, limit_pct)
    )
    axes = figure.subplots()
    for place, metric in enumerate(metrics["metric"]):
        if place % 2 == 0:
            axes.axhspan(place - 0.5, place + 0.5, color=LIGHT_GREY, alpha=0.35, linewidth=0)
        _draw_metric(axes, place, drawn[drawn["metric"] == metric])
    axes.axvline(0, color=GREY, linewidth=0.9)
    axes.set_xlim(*limit_pct)
    axes.set_ylim(len(metrics) - 0.5, -0.5)
    axes.set_yticks(
        range(len(metrics)),
        [
            textwrap.fill(f"{metric.label} ({metric.role})", _LABEL_CHARACTERS)
            for metric in metrics.itertuples()
        ],
    )
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("Difference to control (% of control)")
    axes.xaxis.set_major_formatter(percent_ticks(_PERCENT, "+"))
    axes.grid(axis="x")
    set_heading_with_key(axes, comparison_name(comparable), _key(axes), columns=2)
    return figure


def _drawn_effects(effects: pd.DataFrame) -> pd.DataFrame:
    naive = effects[effects["method"].isin(_NAIVE_METHODS)]
    # Where both fit, as for a share, the first of the names is the one that was made for it.
    naive = naive.sort_values(["metric", "method"]).drop_duplicates("metric")
    drawn = pd.concat([effects[effects["method"].isin(_LOOKS)], naive.assign(method=_NAIVE)])
    drawn = drawn.assign(is_guardrail=drawn["role"] != "primary")
    return drawn.sort_values(["is_guardrail", "label", "method"], ignore_index=True)


def _draw_metric(axes: Axes, place: int, effects: pd.DataFrame) -> None:
    for row in effects.itertuples():
        look = _LOOKS[row.method]
        centre = _PERCENT * row.relative_difference
        ends = _PERCENT * np.array([row.relative_ci_low, row.relative_ci_high], dtype=float)
        axes.plot(ends, [place + look.offset] * 2, color=look.colour, linewidth=1.8)
        axes.plot(
            centre,
            place + look.offset,
            color=look.colour,
            marker=look.marker,
            markersize=5,
            linestyle="none",
            label=look.label,
        )


def _key(axes: Axes) -> dict[str, Artist]:
    artists = labelled_artists(axes)
    return {look.label: artists[look.label] for look in _LOOKS.values() if look.label in artists}


def _limit_pct(drawn: pd.DataFrame) -> tuple[float, float]:
    columns = ["relative_difference", "relative_ci_low", "relative_ci_high"]
    values = _PERCENT * drawn[columns].to_numpy(dtype=float).ravel()
    values = np.append(values[np.isfinite(values)], [-1.0, 1.0])
    low, high = np.clip([values.min(), values.max()], -_FURTHEST_PCT, _FURTHEST_PCT)
    margin = 0.05 * (high - low)
    return low - margin, high + margin


def _title(drawn: pd.DataFrame) -> str:
    # The design effect is a ratio of variances.
    narrowness = drawn.set_index("label")["design_effect"].dropna() ** 0.5
    if narrowness.empty or narrowness.max() <= 1:
        return "Effect of the experiment on each metric"
    return (
        "Intervals that treat sessions as independent are up to"
        f" {narrowness.max():.1f} times too narrow ({narrowness.idxmax()})"
    )


def _note(drawn: pd.DataFrame, limit_pct: tuple[float, float]) -> str:
    ends = _PERCENT * drawn[["relative_ci_low", "relative_ci_high"]].astype(float)
    sentence = "An interval that contains 0 is compatible with no effect."
    if ((ends < limit_pct[0]) | (ends > limit_pct[1])).any(axis=None):
        return f"{sentence} Intervals that go beyond the axis are cut."
    return sentence
