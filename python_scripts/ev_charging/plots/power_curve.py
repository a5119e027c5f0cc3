"""How small an effect an experiment can see, by its number of users."""

import textwrap

import duckdb
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from ev_charging.plots.experiment import comparison_name, first_comparison
from ev_charging.plots.style import (
    BLUE,
    GREEN,
    GREY,
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
        power.experiment_id,
        power.treatment_variant,
        power.metric,
        metrics.label,
        metrics.worthwhile_uplift_pct,
        power.method,
        power.weeks,
        power.is_observed,
        power.users,
        power.mde_relative_pct
    from experiment.experiment_power as power
    inner join reference.experiment_metrics as metrics
        on power.metric = metrics.metric
    where metrics.role = 'primary'
    group by all
    order by
        power.experiment_id, power.treatment_variant, power.metric, power.method, power.weeks
"""
_METHODS = {"delta": ("By users (delta method)", BLUE), "cuped": ("By users, with CUPED", GREEN)}
_SHORT_NAMES = {"delta": "delta method", "cuped": "CUPED"}
_PANEL_HEIGHT_CM = 5.8
_FRAME_HEIGHT_CM = 4.2
_LABEL_CHARACTERS = 24
# The curve spans this factor of the users on either side, or up to those that are needed.
_SPAN = 4
_FURTHEST = 50
_POINTS = 200


def read_power(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return a row per experiment, treatment arm, primary metric, method and number of weeks."""
    return read_mart(connection, _QUERY)


@styled
def power_curve_figure(power: pd.DataFrame) -> Figure:
    """Draw the smallest detectable effect, in % of control, against the users of both arms.

    `power` has a row per experiment_id, treatment_variant, metric, method and weeks: label,
    worthwhile_uplift_pct, is_observed (the weeks are those of the experiment), users of both arms
    and mde_relative_pct, what they can see. The standard error, and the effect with it, shrinks
    with the root of the number of users: MDE(n) = MDE x sqrt(users / n).
    """
    is_drawn = power["is_observed"].astype(bool) & power["method"].isin(_METHODS)
    known = power[is_drawn & (power["users"] > 0)].dropna(subset=["mde_relative_pct"])
    if known.empty:
        return no_data_figure("Power", "experiment.experiment_power has no detectable effect.")

    drawn = first_comparison(known)
    metrics = [rows for _, rows in drawn.groupby("metric")]
    figure = new_figure(
        _FRAME_HEIGHT_CM + _PANEL_HEIGHT_CM * len(metrics),
        _title(metrics),
        f"After {drawn['weeks'].iloc[0]:.3g} weeks. A method misses an effect below its curve more"
        " often than was planned. Four times the users halve what it can see.",
    )
    panels = figure.subplots(len(metrics), 1, sharex=True, squeeze=False)[:, 0]
    users = _users_axis(drawn)
    for axes, rows in zip(panels, metrics, strict=True):
        _draw_metric(axes, rows, users)
    panels[-1].set_xlabel("Users of both arms")
    heading = comparison_name(known)
    set_heading_with_key(panels[0], heading, labelled_artists(*panels), columns=2)
    return figure


def _draw_metric(axes: Axes, rows: pd.DataFrame, users: np.ndarray) -> None:
    by_method = {row.method: row for row in rows.itertuples()}
    for method in [method for method in _METHODS if method in by_method]:
        row, (label, colour) = by_method[method], _METHODS[method]
        axes.plot(
            users,
            row.mde_relative_pct * np.sqrt(row.users / users),
            color=colour,
            linewidth=1.8,
            label=label,
        )
        axes.plot(row.users, row.mde_relative_pct, color=colour, marker="o", markersize=5)
    actual = rows["users"].iloc[0]
    axes.axvline(actual, color=GREY, linewidth=0.9, label=f"Users of this experiment: {actual:,}")
    uplift_pct = rows["worthwhile_uplift_pct"].iloc[0]
    if pd.notna(uplift_pct):
        axes.axhline(
            uplift_pct,
            color=ORANGE,
            linestyle=(0, (4, 2)),
            linewidth=1.4,
            label="Smallest effect that is worth a roll-out",
        )
    axes.set_xscale("log")
    axes.set_xlim(users[0], users[-1])
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="x", which="minor", length=0)
    label = textwrap.fill(rows["label"].iloc[0], _LABEL_CHARACTERS)
    axes.set_ylabel(f"{label}\n(% of control)")
    axes.yaxis.set_major_formatter(percent_ticks(100))
    axes.grid(axis="both")


def _users_axis(drawn: pd.DataFrame) -> np.ndarray:
    actual = drawn["users"].astype(float)
    needed = (
        actual * (drawn["mde_relative_pct"] / drawn["worthwhile_uplift_pct"].astype(float)) ** 2
    )
    first = max(actual.min() / _SPAN, 2)
    last = np.nanmax([_SPAN * actual.max(), min(1.2 * needed.max(), _FURTHEST * actual.max())])
    return np.geomspace(first, last, _POINTS)


def _title(metrics: list[pd.DataFrame]) -> str:
    best = [rows.loc[rows["mde_relative_pct"].idxmin()] for rows in metrics]
    effects = "; ".join(
        f"{row['label']} {row['mde_relative_pct']:,.1f} % ({_SHORT_NAMES[row['method']]})"
        for row in best
    )
    return f"What {best[0]['users']:,} users can see: {effects}"
