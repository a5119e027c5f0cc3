"""Generate the market and experiment sources: prices, and a smart-charging experiment."""

from datetime import datetime
from pathlib import Path

import click

from ev_charging.commands import one_clear_line, refuse_options, show
from ev_charging.experiment_feed.effect import Effects
from ev_charging.experiment_feed.experiment import (
    DEFAULT_DAYS,
    DEFAULT_EXPERIMENT_ID,
    DEFAULT_SESSIONS_PER_USER_AND_WEEK,
    DEFAULT_START,
    generate_experiment,
)
from ev_charging.experiment_feed.faults import FAULTS
from ev_charging.experiment_feed.large_feed import TRUTH_FILE, write_experiment
from ev_charging.experiment_feed.seeds import SEED_USERS, write_experiment_seeds
from ev_charging.feed_files import FORMATS
from ev_charging.market.seeds import write_price_seed

SEEDS_FOLDER = Path(__file__).resolve().parents[1] / "seeds" / "raw"
_SEEDS_TAKE = ("output", "seed")
_FAULT_HELP = "; ".join(f"{name}: {text}" for name, text in FAULTS.items())


@click.command(
    name="generate_experiment",
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, writable=True, path_type=Path),
    help="Folder to write a large experiment into, instead of the seeds; created if missing.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=42,
    help="Seed of the random numbers: the same seed gives the same bytes.",
)
@click.option(
    "--users", type=click.IntRange(2, 1_000_000), default=20_000, help="Assigned users, both arms."
)
@click.option(
    "--days",
    type=click.IntRange(1, 366),
    default=DEFAULT_DAYS,
    help="Local days of the experiment.",
)
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d"]),
    default=DEFAULT_START.isoformat(),
    help="First local day of the experiment.",
)
@click.option(
    "--sessions-per-user-and-week",
    type=click.FloatRange(0, 7, min_open=True, max_open=True),
    default=DEFAULT_SESSIONS_PER_USER_AND_WEEK,
    help="Mean number of sessions without the signal; users differ widely.",
)
@click.option("--experiment-id", default=DEFAULT_EXPERIMENT_ID, help="Name of the experiment.")
@click.option(
    "--effect-low-price-share",
    type=click.FloatRange(-1, 1),
    default=Effects.low_price_share,
    help="Change of the share of sessions that start in a low-price hour, absolute.",
)
@click.option(
    "--effect-energy-pct",
    type=click.FloatRange(-50, 25),
    default=Effects.energy_pct,
    help="Change of the energy of every session, %.",
)
@click.option(
    "--effect-sessions-pct",
    type=click.FloatRange(-100, min_open=True),
    default=Effects.sessions_pct,
    help="Change of the number of sessions, %.",
)
@click.option(
    "--fault",
    "faults",
    type=click.Choice(list(FAULTS)),
    multiple=True,
    help=f"What is wrong with the delivery; may be given several times. {_FAULT_HELP}.",
)
@click.option(
    "--format", "file_format", type=click.Choice(FORMATS), default="csv", help="File format."
)
@click.pass_context
def generate_experiment_feeds(
    context: click.Context,
    output: Path | None,
    seed: int,
    users: int,
    days: int,
    start: datetime,
    sessions_per_user_and_week: float,
    experiment_id: str,
    effect_low_price_share: float,
    effect_energy_pct: float,
    effect_sessions_pct: float,
    faults: tuple[str, ...],
    file_format: str,
) -> None:
    """Write prices, and a smart-charging experiment whose true effects are known.

    Without --output: the three seeds of this project, a year of prices and an experiment with
    the default effects, with odd and bad rows among the good ones. They are the same bytes on
    every run.

    With --output: the files experiment__users, experiment__sessions and market__prices, which
    the var feeds takes, without bad rows, and truth.json: the design and each metric of the
    whole population without and with the signal.
    """
    if output is None:
        refuse_options(
            context,
            _SEEDS_TAKE,
            "is for a large experiment and needs --output;"
            f" the seeds have {SEED_USERS:,} users and the defaults.",
        )
    with one_clear_line(output or SEEDS_FOLDER):
        if output is None:
            written = write_price_seed(SEEDS_FOLDER, seed)
            written |= write_experiment_seeds(SEEDS_FOLDER, seed)
        else:
            with click.progressbar(length=users, label="Computing users") as progress:
                experiment = generate_experiment(
                    users=users,
                    seed=seed,
                    effects=Effects(effect_low_price_share, effect_energy_pct, effect_sessions_pct),
                    faults=faults,
                    days=days,
                    sessions_per_user_and_week=sessions_per_user_and_week,
                    experiment_id=experiment_id,
                    start=start.date(),
                    on_progress=progress.update,
                )
            written = write_experiment(experiment, output, file_format)
    show(written)
    if output is not None:
        click.echo(f"{output / TRUTH_FILE}: the true effects")


if __name__ == "__main__":
    generate_experiment_feeds()
