"""Draw the plots of the warehouse as PNG files."""

from pathlib import Path

import click

from ev_charging.load_profiles import DEFAULT_LOAD_PROFILE, LOAD_PROFILES
from ev_charging.plots.daily_load import daily_load_figure, read_daily_load
from ev_charging.plots.load_heat_map import load_heat_map_figure, read_load_by_hour
from ev_charging.plots.session_distributions import read_sessions, session_distributions_figure
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
    help="Load profile of the load plots.",
)
def draw_plots(warehouse: Path, output: Path, load_profile: str) -> None:
    """Draw daily load, load by hour and weekday, and the distributions of the sessions.

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
