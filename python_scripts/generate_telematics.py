"""Generate the telematics source: driving and charging logs, and what really happened."""

from datetime import datetime
from pathlib import Path

import click

from ev_charging.commands import one_clear_line, refuse_options, show
from ev_charging.feed_files import FORMATS
from ev_charging.telematics_feed.delivery import Run
from ev_charging.telematics_feed.large_feed import (
    DEFAULT_DAYS,
    DEFAULT_START,
    DEFAULT_VEHICLES,
    MOST_VEHICLES,
    write_run,
)
from ev_charging.telematics_feed.seeds import SEED_DAYS, SEED_VEHICLES, write_telematics_seeds

SEEDS_FOLDER = Path(__file__).resolve().parents[1] / "seeds" / "raw"
_SEEDS_TAKE = ("output", "seed")


@click.command(
    name="generate_telematics",
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, writable=True, path_type=Path),
    help="Folder to write a run of any size into, instead of the seeds; created if missing.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=42,
    help="Seed of the random numbers: the same seed gives the same bytes.",
)
@click.option(
    "--vehicles",
    type=click.IntRange(1, MOST_VEHICLES),
    default=DEFAULT_VEHICLES,
    help="Vehicles; each does the same however many there are.",
)
@click.option(
    "--days", type=click.IntRange(1, 3660), default=DEFAULT_DAYS, help="Days on the local clock."
)
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d"]),
    default=DEFAULT_START.isoformat(),
    help="First day on the local clock.",
)
@click.option(
    "--damage/--no-damage",
    "is_damaged",
    default=True,
    help="Whether rows are repeated, in wrong units or with wrong values now and then.",
)
@click.option(
    "--format", "file_format", type=click.Choice(FORMATS), default="csv", help="File format."
)
@click.pass_context
def generate_telematics_feeds(
    context: click.Context,
    output: Path | None,
    seed: int,
    vehicles: int,
    days: int,
    start: datetime,
    is_damaged: bool,
    file_format: str,
) -> None:
    """Write fleets of clients: vehicles, and the drives and charges that three suppliers log.

    Without --output: the four seeds of this project, a month of a few clients with damaged logs,
    and bad rows among the good ones. They are the same bytes on every run.

    With --output: the files telematics__vehicles, telematics__drives, telematics__charges and
    telematics__injected_damage, which the var feeds takes, without bad rows. Beside them, as
    Parquet files named truth_*: the drives and sessions that really happened, and the gaps
    between what is logged of them.
    """
    if output is None:
        refuse_options(
            context,
            _SEEDS_TAKE,
            "is for a run of any size and needs --output;"
            f" the seeds have {SEED_DAYS} days of {SEED_VEHICLES} vehicles.",
        )
    with one_clear_line(output or SEEDS_FOLDER):
        if output is None:
            written = write_telematics_seeds(SEEDS_FOLDER, seed)
        else:
            run = Run(vehicles, start.date(), days, seed, is_damaged)
            with click.progressbar(length=vehicles, label="Computing vehicles") as progress:
                written = write_run(run, output, file_format, progress.update)
    show(written)


if __name__ == "__main__":
    generate_telematics_feeds()
