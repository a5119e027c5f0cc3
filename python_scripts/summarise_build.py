"""Print what the last build has left in the warehouse."""

from pathlib import Path

import click

from ev_charging.load_profiles import DEFAULT_LOAD_PROFILE, LOAD_PROFILES
from ev_charging.summary import COLUMNS, Places, build_summary
from ev_charging.warehouse import WarehouseError, open_warehouse, warehouse_option


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@warehouse_option
@click.option(
    "--plots",
    type=click.Path(path_type=Path),
    default=Path("plots"),
    help="Folder of the plots.",
)
@click.option(
    "--target",
    type=click.Path(path_type=Path),
    envvar="DBT_TARGET_PATH",
    default=Path("target"),
    show_envvar=True,
    help="Folder of the docs site.",
)
@click.option(
    "--load-profile",
    type=click.Choice(list(LOAD_PROFILES)),
    default=DEFAULT_LOAD_PROFILE,
    help="Load profile of the headline figures.",
)
def summarise_build(warehouse: Path, plots: Path, target: Path, load_profile: str) -> None:
    """Print rows per mart, the balance of each feed, headline figures, decisions."""
    places = Places(warehouse=warehouse, plots=plots, docs=target / "index.html")
    try:
        with open_warehouse(warehouse) as connection:
            sections = build_summary(connection, load_profile, places)
    except WarehouseError as error:
        raise click.ClickException(str(error)) from error
    click.echo("=" * COLUMNS)
    for section in sections:
        # Escape codes are left out by click where the output is no terminal.
        click.secho(section.heading, bold=True)
        for line in section.lines:
            click.echo(f"  {line}")


if __name__ == "__main__":
    summarise_build()
