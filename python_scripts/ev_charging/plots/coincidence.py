"""How much of their power many cars would draw at once, simulated and in published data."""

import duckdb
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ev_charging.experiment.wording import percent
from ev_charging.plots.style import (
    BLUE,
    GREEN,
    INK,
    LIGHT_GREY,
    labelled_artists,
    new_figure,
    no_data_figure,
    percent_ticks,
    set_heading_with_key,
    shortened,
    styled,
)
from ev_charging.warehouse import read_mart

_FIGURE = "coincidence_"
_QUERY = f"""
    select
        fleet,
        run_id,
        cast(replace(figure, '{_FIGURE}', '') as integer) as cars,
        real_low,
        real_high,
        tolerance,
        simulated_value,
        users,
        passes
    from fleet.simulation_validation
    where starts_with(figure, '{_FIGURE}')
    order by fleet, run_id, cars
"""
_REFERENCE = "reference_run"
_NAME_CHARACTERS = 24
_NOTE = (
    "The highest hour of 56 days, mean over 200 groups drawn at random. Runs of fewer drivers than"
    " can be judged are not drawn."
)


def read_coincidence(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return the coincidence factor of groups of cars by fleet and size, beside the real one."""
    return read_mart(connection, _QUERY)


@styled
def coincidence_figure(factors: pd.DataFrame) -> Figure:
    """Draw the coincidence factor by the number of cars, simulated and real.

    `factors` has a row per fleet (reference_run or loaded), run_id and number of cars:
    simulated_value and the published real_low and real_high (0 to 1), tolerance, users that the
    value is drawn from, and passes, missing where they are too few to judge. Of the loaded runs
    the first by name that is judged is drawn.
    """
    simulated = factors.dropna(subset=["simulated_value"])
    reference = simulated[simulated["fleet"] == _REFERENCE]
    if reference.empty:
        return no_data_figure("Coincidence", "fleet.simulation_validation has no reference run.")

    figure = new_figure(8.8, _title(reference), _NOTE)
    axes = figure.subplots()
    axes.fill_between(
        reference["cars"],
        reference["real_low"] - reference["tolerance"],
        reference["real_high"] + reference["tolerance"],
        color=LIGHT_GREY,
        linewidth=0,
        label="Real drivers, with the tolerance",
    )
    middle = reference.assign(real=(reference["real_low"] + reference["real_high"]) / 2)
    _draw(axes, middle, "real", INK, "Real drivers")
    drivers = f"{reference['users'].max():,} drivers"
    _draw(axes, reference, "simulated_value", BLUE, f"Simulated in this build ({drivers})")
    judged = simulated[simulated["passes"].notna() & (simulated["fleet"] != _REFERENCE)]
    if not judged.empty:
        run = judged[judged["run_id"] == judged["run_id"].min()]
        name = shortened(run["run_id"].iloc[0], _NAME_CHARACTERS)
        label = f"Run {name} ({run['users'].max():,} drivers)"
        _draw(axes, run, "simulated_value", GREEN, label)
    axes.set_xscale("log")
    axes.set_xticks(reference["cars"], [f"{cars:,}" for cars in reference["cars"]])
    axes.minorticks_off()
    axes.set_ylim(0, 1.05)
    axes.yaxis.set_major_formatter(percent_ticks(1))
    axes.set_xlabel("Cars in the group")
    axes.set_ylabel("Highest hour\n(% of all cars at full power)")
    axes.grid(axis="y")
    heading = "Every car charging at 7.2 kW from its plug-in on"
    set_heading_with_key(axes, heading, labelled_artists(axes), columns=2)
    return figure


def _draw(axes: Axes, factors: pd.DataFrame, column: str, colour: str, label: str) -> None:
    axes.plot(
        factors["cars"],
        factors[column],
        "o-",
        color=colour,
        markersize=4.5,
        linewidth=1.6,
        label=label,
    )


def _title(reference: pd.DataFrame) -> str:
    largest = reference.loc[reference["cars"].idxmax()]
    real = np.unique(largest[["real_low", "real_high"]].to_numpy(float))
    return (
        f"{largest['cars']:,} simulated cars draw at most"
        f" {percent(largest['simulated_value'], 0)} of their power at once, real ones"
        f" {' to '.join(percent(share, 0) for share in real)}"
    )
