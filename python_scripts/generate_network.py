"""Generate the network source: the messages of chargers, and what really happened there."""

from datetime import datetime
from pathlib import Path

import click

from ev_charging.commands import given_options, one_clear_line, refuse_options, show
from ev_charging.feed_files import FORMATS
from ev_charging.network_feed.large_feed import (
    DEFAULT_DAYS,
    DEFAULT_START,
    DEFAULT_STATIONS,
    MOST_STATIONS,
    NetworkSize,
    stations_for,
    write_network,
)
from ev_charging.network_feed.seed_network import DAYS
from ev_charging.network_feed.seeds import write_network_seeds

SEEDS_FOLDER = Path(__file__).resolve().parents[1] / "seeds" / "raw"
_SEEDS_TAKE = ("output", "seed")


@click.command(
    name="generate_network",
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, writable=True, path_type=Path),
    help="Folder to write a large network into, instead of the seeds; created if missing.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=42,
    help="Seed of the random numbers: the same seed gives the same bytes.",
)
@click.option(
    "--stations",
    type=click.IntRange(1, MOST_STATIONS),
    default=DEFAULT_STATIONS,
    help="Stations, two at a site; one in six is in session lists only.",
)
@click.option(
    "--messages",
    type=click.IntRange(min=1),
    help="About how many messages: as many stations as send them in the days; not with --stations.",
)
@click.option("--days", type=click.IntRange(1, 3660), default=DEFAULT_DAYS, help="Days (UTC).")
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d"]),
    default=DEFAULT_START.isoformat(),
    help="First day (UTC).",
)
@click.option(
    "--damage/--no-damage",
    "is_damaged",
    default=True,
    help="Whether messages are lost, late, repeated, wrongly stamped or unreadable now and then.",
)
@click.option(
    "--format", "file_format", type=click.Choice(FORMATS), default="csv", help="File format."
)
@click.pass_context
def generate_network_feeds(
    context: click.Context,
    output: Path | None,
    seed: int,
    stations: int,
    messages: int | None,
    days: int,
    start: datetime,
    is_damaged: bool,
    file_format: str,
) -> None:
    """Write a charging network: stations, ports, charger messages and what goes with them.

    Without --output: the six seeds of this project, a network of seven stations with damaged
    messages, and bad rows among the good ones. They are the same bytes on every run.

    With --output: the files network__stations, network__ports, network__charging_sessions,
    network__charger_messages, network__outage_exclusions and network__injected_damage, which the
    var feeds takes, without bad rows. Beside them, as Parquet files named truth_*: the attempts,
    visits, sessions and outages that the messages tell of before anything is damaged.
    """
    if output is None:
        refuse_options(
            context,
            _SEEDS_TAKE,
            "is for a large network and needs --output;"
            f" the seeds have {DAYS} days of seven stations.",
        )
    if messages is not None:
        if any(option.name == "stations" for option in given_options(context)):
            raise click.UsageError("--messages and --stations exclude each other.")
        stations = stations_for(messages, days)
    with one_clear_line(output or SEEDS_FOLDER):
        if output is None:
            written = write_network_seeds(SEEDS_FOLDER, seed)
        else:
            size = NetworkSize(stations, start.date(), days, seed, is_damaged)
            with click.progressbar(length=stations, label="Computing stations") as progress:
                written = write_network(size, output, file_format, progress.update)
    show(written)


if __name__ == "__main__":
    generate_network_feeds()
