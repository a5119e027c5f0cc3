"""Controllers of a simulated fleet compared: power over the day, cost and peak."""

import duckdb
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from ev_charging.experiment.wording import percent
from ev_charging.plots.style import (
    BLUE,
    GREEN,
    GREY,
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

_MEAN_DAY = """
    select
        run_id,
        half_hour_of_day / 2 as hour_of_day,
        sum(total_net_kw) as power_kw
    from fleet.power_by_archetype
    where resolution = 'half_hour_of_day' and fleet_part = 'all'
    group by run_id, half_hour_of_day
    order by run_id, half_hour_of_day
"""
_COMPARISON = """
    select run_id, reference_run_id, metric, value, reference_value, ci_low, ci_high
    from fleet.controller_comparison
    where metric in ('cost_eur', 'fleet_peak_kw')
    order by run_id, metric
"""
_COLOURS = (GREY, BLUE, ORANGE, GREEN, PURPLE, LIGHT_BLUE)
# Title and decimals of the bars of each metric.
_PANELS = {
    "cost_eur": ("Cost (EUR per car\nand week)", 2),
    "fleet_peak_kw": ("Highest\nhalf-hour (kW)", 1),
}
_NAME_CHARACTERS = 18


def read_mean_day(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return the mean power of each run's fleet by local time of day, in kW."""
    return read_mart(connection, _MEAN_DAY)


def read_comparison(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return cost and peak of each run beside those of its reference run."""
    return read_mart(connection, _COMPARISON)


@styled
def controllers_figure(mean_day: pd.DataFrame, comparison: pd.DataFrame) -> Figure:
    """Draw the power over the mean day of each run, and beside it cost and peak.

    `mean_day` has a row per run_id and hour_of_day (0 to below 24, local time) with power_kw;
    `comparison` one per run_id, reference_run_id and metric (`cost_eur`, EUR per user and week, or
    `fleet_peak_kw`): value of the run and reference_value. The reference comes first.
    """
    if mean_day.empty:
        return no_data_figure("Controllers", "fleet.power_by_archetype is empty.")

    reference = set(comparison["reference_run_id"])
    runs = sorted(mean_day["run_id"].unique(), key=lambda run: (run not in reference, run))
    colours = dict(zip(runs, _COLOURS, strict=False))
    bars = {
        metric: values
        for metric in _PANELS
        if (values := _values(comparison[comparison["metric"] == metric], list(colours)))
    }
    figure = new_figure(9.6, _title(comparison), _note(len(runs), bool(bars)))
    day, *panels = figure.subplots(
        1, 1 + len(bars), squeeze=False, width_ratios=[2.2, *[1] * len(bars)]
    )[0]
    for run, colour in colours.items():
        _draw_day(day, mean_day[mean_day["run_id"] == run], colour, run)
    day.axhline(0, color=GREY, linewidth=0.9)
    day.set_xlim(0, 24)
    day.set_xticks(range(0, 25, 6), [f"{hour:02d}:00" for hour in range(0, 25, 6)])
    day.set_xlabel("Local time")
    day.set_ylabel("Power of the fleet, mean day (kW)")
    day.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    day.grid(axis="y")
    for axes, (metric, values) in zip(panels, bars.items(), strict=True):
        _draw_bars(axes, values, colours, *_PANELS[metric])
    heading = "Same drivers, run" if len(runs) > 1 else "Run"
    set_heading_with_key(day, heading, labelled_artists(day), columns=2)
    return figure


def _draw_day(axes: Axes, day: pd.DataFrame, colour: str, run: str) -> None:
    hours = day["hour_of_day"].to_numpy(float)
    axes.stairs(
        day["power_kw"].to_numpy(float),
        np.append(hours, 24.0),
        baseline=None,
        color=colour,
        linewidth=1.8,
        label=shortened(run, _NAME_CHARACTERS),
    )


def _values(rows: pd.DataFrame, runs: list[str]) -> dict[str, float]:
    """Return the value of each run, that of the reference among them, in the order of `runs`."""
    values = dict(zip(rows["reference_run_id"], rows["reference_value"], strict=True))
    values |= dict(zip(rows["run_id"], rows["value"], strict=True))
    return {run: values[run] for run in runs if pd.notna(values.get(run))}


def _draw_bars(
    axes: Axes, values: dict[str, float], colours: dict[str, str], title: str, digits: int
) -> None:
    axes.set_title(title, loc="left", color=GREY)
    bars = axes.bar(
        range(len(values)), values.values(), 0.7, color=[colours[run] for run in values]
    )
    axes.bar_label(bars, [f"{value:,.{digits}f}" for value in values.values()], padding=2)
    axes.axhline(0, color=GREY, linewidth=0.9)
    axes.margins(y=0.12)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[["left", "bottom"]].set_visible(False)


def _title(comparison: pd.DataFrame) -> str:
    changes = comparison.assign(change=comparison["value"] / comparison["reference_value"] - 1)
    changes = changes[changes["reference_value"] > 0].dropna(subset=["change"])
    costs = changes[changes["metric"] == "cost_eur"]
    if costs.empty:
        return "Power of the fleet by controller"
    best = costs.loc[costs["change"].idxmin()]
    title = f"{best['run_id']} costs {_change(best['change'], 'more', 'less')}"
    title = f"{title} than {best['reference_run_id']}"
    is_peak = (changes["metric"] == "fleet_peak_kw") & (changes["run_id"] == best["run_id"])
    for change in changes.loc[is_peak, "change"]:
        return f"{title}, with a peak {_change(change, 'higher', 'lower')}"
    return title


def _change(change: float, above: str, below: str) -> str:
    return f"{percent(abs(change), 0)} {above if change > 0 else below}"


def _note(runs: int, has_bars: bool) -> str:
    sentences = []
    if runs > len(_COLOURS):
        sentences.append(f"The first {len(_COLOURS)} of {runs:,} runs.")
    if has_bars:
        sentences.append("Cost of the energy at the market's price, export taken off.")
    return " ".join(sentences)
