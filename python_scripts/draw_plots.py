"""Draw the plots of the warehouse as PNG files."""

from pathlib import Path

import click

from ev_charging.load_profiles import DEFAULT_LOAD_PROFILE, LOAD_PROFILES
from ev_charging.plots.charge_start_time import (
    charge_start_time_figure,
    read_charge_start_times,
)
from ev_charging.plots.charging_costs import charging_costs_figure, read_charging_costs
from ev_charging.plots.coincidence import coincidence_figure, read_coincidence
from ev_charging.plots.consumption_by_type import consumption_by_type_figure, read_consumption
from ev_charging.plots.controllers import controllers_figure, read_comparison, read_mean_day
from ev_charging.plots.daily_load import daily_load_figure, read_daily_load
from ev_charging.plots.daily_looks import daily_looks_figure, read_looks
from ev_charging.plots.drive_lengths import drive_lengths_figure, read_drive_lengths
from ev_charging.plots.effect_by_method import effect_by_method_figure, read_effects
from ev_charging.plots.energy_per_user import energy_per_user_figure, read_user_energy
from ev_charging.plots.failure_reasons import failure_reasons_figure, read_failure_reasons
from ev_charging.plots.load_heat_map import load_heat_map_figure, read_load_by_hour
from ev_charging.plots.port_uptime import port_uptime_figure, read_port_uptime
from ev_charging.plots.power_by_archetype import power_by_archetype_figure, read_fleet_power
from ev_charging.plots.power_curve import power_curve_figure, read_power
from ev_charging.plots.session_distributions import read_sessions, session_distributions_figure
from ev_charging.plots.sessions_by_hour import read_starts, sessions_by_hour_figure
from ev_charging.plots.soc_by_archetype import read_soc, soc_by_archetype_figure
from ev_charging.plots.soc_timeline import read_timeline, soc_timeline_figure
from ev_charging.plots.station_success import read_station_success, station_success_figure
from ev_charging.plots.style import png_bytes, write_atomically
from ev_charging.warehouse import WarehouseError, open_warehouse, warehouse_option


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@warehouse_option
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("plots"),
    help="Folder to write into; it is created if it is missing.",
)
@click.option(
    "--load-profile",
    type=click.Choice(list(LOAD_PROFILES)),
    default=DEFAULT_LOAD_PROFILE,
    help="Load profile of the plots of loads and costs.",
)
def draw_plots(warehouse: Path, output: Path, load_profile: str) -> None:
    """Draw the plots of loads, sessions, costs, experiments, the network, fleets and driving.

    Loads: daily load, load by hour and weekday, and monthly costs. Sessions: energy and connection
    time of residential ones. Experiments, of which the first by name is drawn: effect by method,
    its course from day to day, energy per user, sessions by hour, and what can be detected. The
    network: success rate of stations, why sessions fail, uptime of ports, wait for power. Simulated
    fleets: state of charge and power by archetype, controllers compared, coincidence. Driving:
    long and short drives per week, consumption by type of vehicle, a week of a made-up vehicle.

    The same warehouse gives the same bytes. If a mart is missing, no file changes.
    """
    try:
        with open_warehouse(warehouse) as connection:
            figures = {
                "daily_load.png": daily_load_figure(
                    read_daily_load(connection, load_profile), load_profile
                ),
                "load_heat_map.png": load_heat_map_figure(
                    read_load_by_hour(connection, load_profile), load_profile
                ),
                "session_distributions.png": session_distributions_figure(
                    read_sessions(connection)
                ),
                "charging_costs.png": charging_costs_figure(
                    read_charging_costs(connection, load_profile), load_profile
                ),
                "effect_by_method.png": effect_by_method_figure(read_effects(connection)),
                "daily_looks.png": daily_looks_figure(read_looks(connection)),
                "energy_per_user.png": energy_per_user_figure(read_user_energy(connection)),
                "sessions_by_hour.png": sessions_by_hour_figure(read_starts(connection)),
                "power_curve.png": power_curve_figure(read_power(connection)),
                "station_success.png": station_success_figure(read_station_success(connection)),
                "failure_reasons.png": failure_reasons_figure(read_failure_reasons(connection)),
                "port_uptime.png": port_uptime_figure(read_port_uptime(connection)),
                "charge_start_time.png": charge_start_time_figure(
                    read_charge_start_times(connection)
                ),
                "soc_by_archetype.png": soc_by_archetype_figure(read_soc(connection)),
                "power_by_archetype.png": power_by_archetype_figure(read_fleet_power(connection)),
                "controllers.png": controllers_figure(
                    read_mean_day(connection), read_comparison(connection)
                ),
                "coincidence.png": coincidence_figure(read_coincidence(connection)),
                "drive_lengths.png": drive_lengths_figure(read_drive_lengths(connection)),
                "consumption_by_type.png": consumption_by_type_figure(read_consumption(connection)),
                "soc_timeline.png": soc_timeline_figure(read_timeline(connection)),
            }
    except WarehouseError as error:
        raise click.ClickException(str(error)) from error
    try:
        for name, figure in figures.items():
            write_atomically(output / name, png_bytes(figure))
            click.echo(output / name)
    except OSError as error:
        raise click.ClickException(f"can't write into {output}: {error.strerror}") from error


if __name__ == "__main__":
    draw_plots()
