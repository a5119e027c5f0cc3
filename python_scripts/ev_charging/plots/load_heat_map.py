"""Mean load by hour of the day and weekday."""

import duckdb
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ev_charging.load_profiles import LOAD_PROFILES
from ev_charging.plots.style import (
    GREY,
    LIGHT_GREY,
    ORANGE,
    new_figure,
    no_data_figure,
    styled,
)
from ev_charging.warehouse import read_mart

_QUERY = """
    select iso_weekday, hour_of_day, mean_load_kwh
    from load.load_profile_by_hour
    where load_profile = ?
    order by iso_weekday, hour_of_day
"""
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_HOURS = 24


def read_load_by_hour(connection: duckdb.DuckDBPyConnection, load_profile: str) -> pd.DataFrame:
    """Return the mean load of a load profile in kWh per hour, by ISO weekday and local hour."""
    return read_mart(connection, _QUERY, [load_profile])


@styled
def load_heat_map_figure(hours: pd.DataFrame, load_profile: str) -> Figure:
    """Draw the mean load in kWh per hour as a grid of weekdays and hours.

    `hours` has at most one row per iso_weekday (1 = Monday) and hour_of_day (0 to 23) with
    mean_load_kwh; what it lacks is left grey.
    """
    if hours.empty:
        return no_data_figure(
            "Load by hour and weekday", f"load.load_profile_by_hour has no hour of {load_profile}."
        )

    grid_kwh = np.full((len(_WEEKDAYS), _HOURS), np.nan)
    grid_kwh[hours["iso_weekday"] - 1, hours["hour_of_day"]] = hours["mean_load_kwh"]
    peak_day, peak_hour = np.unravel_index(np.nanargmax(grid_kwh), grid_kwh.shape)
    peak_kwh = grid_kwh[peak_day, peak_hour]

    figure = new_figure(8.2, _title(peak_day, peak_hour, peak_kwh), _note(grid_kwh))
    axes = figure.subplots()
    axes.set_title(
        f"Mean load, load profile {load_profile}: {LOAD_PROFILES[load_profile]}",
        loc="left",
        color=GREY,
    )
    axes.set_facecolor(LIGHT_GREY)
    mesh = axes.pcolormesh(
        np.arange(_HOURS + 1),
        np.arange(len(_WEEKDAYS) + 1),
        np.ma.masked_invalid(grid_kwh),
        cmap="YlGnBu",
        vmin=0,
        # A load of nothing but zeros still needs a scale.
        vmax=peak_kwh if peak_kwh > 0 else 1,
        edgecolor="white",
        linewidth=0.6,
    )
    axes.add_patch(
        Rectangle((peak_hour, peak_day), 1, 1, fill=False, edgecolor=ORANGE, linewidth=2)
    )
    axes.invert_yaxis()
    axes.set_yticks(np.arange(len(_WEEKDAYS)) + 0.5, _WEEKDAYS)
    axes.set_xticks(np.arange(0, _HOURS + 1, 3), [f"{h:02d}:00" for h in range(0, _HOURS + 1, 3)])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("Local time (hour of the day)")
    colour_bar = figure.colorbar(mesh, ax=axes, pad=0.015, aspect=18)
    colour_bar.set_label("Mean load (kWh per hour)")
    colour_bar.outline.set_visible(False)
    return figure


def _title(peak_day: int, peak_hour: int, peak_kwh: float) -> str:
    if peak_kwh <= 0:
        return "No energy in any hour of the week"
    return (
        f"Neighbourhood load peaks at {peak_hour:02d}:00 on {_WEEKDAYS[peak_day]}s"
        f" ({peak_kwh:,.1f} kWh)"
    )


def _note(grid_kwh: np.ndarray) -> str:
    return "Grey: hours that the data doesn't cover." if np.isnan(grid_kwh).any() else ""
