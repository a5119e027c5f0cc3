"""Generate the residential source: a made-up neighbourhood in the published Trondheim format."""

from pathlib import Path

import click

from ev_charging.commands import one_clear_line, show
from ev_charging.residential.large_feed import FORMATS, write_large_feed
from ev_charging.residential.seeds import write_seeds

SEEDS_FOLDER = Path(__file__).resolve().parents[1] / "seeds" / "raw"


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option(
    "--output",
    type=click.Path(file_okay=False, writable=True, path_type=Path),
    default=SEEDS_FOLDER,
    show_default="seeds/raw of this project",
    help="Folder to write into; it is created if it is missing.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=42,
    help="Seed of the random numbers: the same seed gives the same bytes.",
)
@click.option(
    "--year",
    type=click.IntRange(1996, 2099),
    default=2024,
    help="Local calendar year of the sessions.",
)
@click.option(
    "--rows",
    type=click.IntRange(1, 500_000_000),
    help="Write a large feed of exactly this many hourly loads instead of the seeds.",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(FORMATS),
    show_default="csv",
    help="File format of the large feed; only together with --rows.",
)
def generate_residential(
    output: Path, seed: int, year: int, rows: int | None, file_format: str | None
) -> None:
    """Write charging reports and hourly loads of a residential neighbourhood.

    Without --rows: both seeds, small, with odd and bad rows among the good ones. They are the
    same bytes on every run.

    With --rows: one file, hourly_loads.csv or .parquet, in the published text format, ordered
    by hour, without bad rows, for as many users as the rows need.
    """
    if file_format is not None and rows is None:
        raise click.UsageError("--format chooses the format of a large feed and needs --rows.")
    with one_clear_line(output):
        if rows is None:
            show(write_seeds(output, year, seed))
        else:
            path = _write_large_feed(output, rows, file_format or FORMATS[0], year, seed)
            click.echo(f"{path}: {rows:,} rows")


def _write_large_feed(folder: Path, rows: int, file_format: str, year: int, seed: int) -> Path:
    with click.progressbar(length=rows, label="Computing hourly loads") as progress:

        def on_progress(computed: int) -> None:
            progress.update(computed)
            if progress.finished:
                progress.label = "Sorting and writing"

        return write_large_feed(folder, rows, file_format, year, seed, on_progress)


if __name__ == "__main__":
    generate_residential()
