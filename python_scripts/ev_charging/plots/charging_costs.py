"""What charging costs each month, and what it could cost in the cheapest hours of each stay."""

import duckdb
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from ev_charging.experiment.wording import percent
from ev_charging.load_profiles import LOAD_PROFILES
from ev_charging.plots.style import (
    BLUE,
    GREY,
    LIGHT_BLUE,
    labelled_artists,
    new_figure,
    no_data_figure,
    set_heading_with_key,
    styled,
)
from ev_charging.warehouse import read_mart

_QUERY = """
    select
        month_start_date,
        session_energy_kwh,
        shiftable_energy_kwh,
        immediate_cost_eur,
        cheapest_cost_eur
    from load.load_costs
    where load_profile = ?
    order by month_start_date
"""
_BAR_WIDTH = 0.4
_MOST_LABELS = 13


def read_charging_costs(connection: duckdb.DuckDBPyConnection, load_profile: str) -> pd.DataFrame:
    """Return cost (EUR) and energy (kWh) of the sessions of each month, oldest first."""
    return read_mart(connection, _QUERY, [load_profile])


@styled
def charging_costs_figure(months: pd.DataFrame, load_profile: str) -> Figure:
    """Draw what the sessions of each month cost and the least that they could, in EUR.

    `months` has a row per month_start_date, oldest first: immediate_cost_eur and
    cheapest_cost_eur of the shiftable sessions (missing without any), their energy
    shiftable_energy_kwh and the energy of all sessions, session_energy_kwh.
    """
    priced = months.dropna(subset=["immediate_cost_eur", "cheapest_cost_eur"])
    if priced.empty:
        return no_data_figure(
            "Charging costs", f"load.load_costs has no priced session of {load_profile}."
        )

    figure = new_figure(9.4, _title(priced), _note(months))
    axes = figure.subplots()
    place = np.arange(len(priced))
    bars = (
        ("immediate_cost_eur", -_BAR_WIDTH, LIGHT_BLUE, "Charged from the plug-in on"),
        ("cheapest_cost_eur", 0, BLUE, "In the cheapest hours before the plug-out"),
    )
    for column, shift, colour, label in bars:
        axes.bar(place + shift, priced[column], _BAR_WIDTH, align="edge", color=colour, label=label)
    axes.axhline(0, color=GREY, linewidth=0.9)
    step = -(-len(priced) // _MOST_LABELS)
    names = [f"{month:%b}\n{month:%Y}" for month in priced["month_start_date"]]
    axes.set_xticks(place[::step], names[::step])
    axes.tick_params(axis="x", length=0)
    axes.set_xlabel("Month of the plug-in")
    axes.set_ylabel("Cost of energy\n(EUR per month)")
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.grid(axis="y")
    heading = f"Load profile {load_profile}: {LOAD_PROFILES[load_profile]}"
    set_heading_with_key(axes, heading, labelled_artists(axes), columns=2)
    return figure


def _title(priced: pd.DataFrame) -> str:
    immediate, cheapest = priced["immediate_cost_eur"].sum(), priced["cheapest_cost_eur"].sum()
    saving = f"{immediate - cheapest:,.0f} EUR"
    if immediate > 0:
        saving = f"{percent((immediate - cheapest) / immediate, 0)} ({saving})"
    return f"The cheapest hours of each stay would save {saving}"


def _note(months: pd.DataFrame) -> str:
    energy_kwh = months["session_energy_kwh"].sum()
    if not energy_kwh:
        return ""
    share = months["shiftable_energy_kwh"].sum() / energy_kwh
    return (
        f"Sessions with {percent(share, 0)} of the energy: those with known prices and a plug-out,"
        " whose energy fits into the time connected. Energy at the market's price, without grid"
        " fees and taxes."
    )
