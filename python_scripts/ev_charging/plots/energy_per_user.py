"""How much energy the users of each arm of an experiment charge."""

import math

import duckdb
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ev_charging.plots.experiment import Arm, arms, comparison_name, first_comparison
from ev_charging.plots.style import GREY, new_figure, no_data_figure, percent_ticks, styled
from ev_charging.warehouse import read_mart

# The metric whose numerator is the energy of a user, and whose denominator his or her sessions.
_QUERY = """
    select
        users.experiment_id,
        case when users.variant <> experiments.control_variant then users.variant end
            as treatment_variant,
        users.numerator as energy_kwh,
        users.denominator as sessions
    from experiment.experiment_users as users
    inner join intermediate.int_experiments as experiments
        on users.experiment_id = experiments.experiment_id
    where users.metric = 'energy_per_session'
    order by users.experiment_id, users.variant, users.user_key
"""
_BINS = 40
_BIN_WIDTHS = (0.5, 1, 2, 2.5, 5, 10, 20, 25, 50, 100)


def read_user_energy(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return energy in kWh and number of sessions of every user of an experiment."""
    return read_mart(connection, _QUERY)


@styled
def energy_per_user_figure(users: pd.DataFrame) -> Figure:
    """Draw the distribution of the energy per user in kWh, one outline per arm.

    `users` has a row per experiment_id and assigned user: treatment_variant (missing in the
    control arm), energy_kwh and sessions. Users without sessions count in the note only.
    """
    if users.empty:
        return no_data_figure("Energy per user", "experiment.experiment_users has no user.")

    drawn = arms(first_comparison(users))
    charging = [(arm, energy) for arm in drawn if not (energy := _energy_kwh(arm)).empty]
    if not charging:
        return no_data_figure("Energy per user", "No user of the experiment has charged.")

    bins, beyond = _bins(pd.concat([energy for _, energy in charging]))
    figure = new_figure(8.6, _title(charging), _note(drawn, bins[-1], beyond))
    axes = figure.subplots()
    axes.set_title(comparison_name(users), loc="left", color=GREY)
    for arm, energy in charging:
        counts, _ = np.histogram(energy, bins)
        axes.stairs(counts / len(energy), bins, color=arm.colour, alpha=0.18, fill=True)
        axes.stairs(counts / len(energy), bins, color=arm.colour, linewidth=1.6)
        axes.axvline(
            energy.median(),
            color=arm.colour,
            linewidth=1.6,
            linestyle=(0, (4, 2)),
            label=f"{arm.name}: median {energy.median():,.1f} kWh, {len(energy):,} users",
        )
    axes.set_xlim(0, bins[-1])
    # Room above the outlines for the legend.
    axes.set_ylim(0, 1.35 * axes.dataLim.y1)
    axes.set_xlabel("Energy per user during the experiment (kWh)")
    axes.set_ylabel(f"Users per {bins[1]:g} kWh\n(% of those who charged)")
    axes.yaxis.set_major_formatter(percent_ticks(1))
    axes.grid(axis="y")
    axes.legend(loc="upper right", handlelength=1.8)
    return figure


def _energy_kwh(arm: Arm) -> pd.Series:
    return arm.rows.loc[arm.rows["sessions"] > 0, "energy_kwh"].astype(float)


def _bins(energy_kwh: pd.Series) -> tuple[np.ndarray, int]:
    """Return the edges of the bins, and how many users lie beyond the last one."""
    # The highest hundredth would squeeze all others.
    end = max(float(energy_kwh.quantile(0.99)), _BIN_WIDTHS[0])
    width = next((width for width in _BIN_WIDTHS if end / width <= _BINS), end / _BINS)
    bins = np.arange(math.ceil(end / width) + 1) * width
    return bins, int((energy_kwh > bins[-1]).sum())


def _title(charging: list[tuple[Arm, pd.Series]]) -> str:
    parts = [f"{energy.median():,.1f} kWh in {arm.name}" for arm, energy in charging]
    return f"Median user: {', '.join(parts)}"


def _note(drawn: list[Arm], end: float, beyond: int) -> str:
    without = [f"{(arm.rows['sessions'] == 0).sum():,} in {arm.name}" for arm in drawn]
    sentences = [f"Not drawn: users without sessions, {' and '.join(without)}."]
    if beyond:
        sentences.append(f"{beyond:,} users above {end:,.0f} kWh are beyond the axis.")
    return " ".join(sentences)
