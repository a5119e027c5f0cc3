"""Simulate a fleet of electric cars: telemetry, plug events, trips, dispatches, and the truth."""

import csv
from pathlib import Path
from typing import Any

import click

from ev_charging.commands import given_options, one_clear_line, refuse_options, show
from ev_charging.feed_files import FORMATS
from ev_charging.simulation.archetypes import read_archetypes
from ev_charging.simulation.config import (
    CONTROLLERS,
    DISPATCH_MODES,
    MODES,
    STEPS,
    Dispatch,
    FleetConfig,
)
from ev_charging.simulation.damage import USUAL_SHARES
from ev_charging.simulation.output import refuse_other_run, steps, write_run
from ev_charging.simulation.run import Run
from ev_charging.simulation.run_prices import market_prices, read_prices
from ev_charging.simulation.seeds import SEED_DAYS, SEED_USERS, write_simulator_seeds

SEEDS = Path(__file__).resolve().parents[1] / "seeds"
SEEDS_FOLDER = SEEDS / "raw"
ARCHETYPES = SEEDS / "reference" / "charging_archetypes.csv"
PRICE_ZONES = SEEDS / "reference" / "price_zones.csv"
_SEEDS_TAKE = ("output", "seed")
_OF_A_DISPATCH = (
    "dispatch_start",
    "dispatch_end",
    "dispatch_dates",
    "dispatch_notice_minutes",
    "dispatch_acknowledged_share",
)
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command(
    name="simulate_fleet",
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, writable=True, path_type=Path),
    help="Folder to write a run into, instead of the seeds; created if missing.",
)
@click.option(
    "--seed",
    type=int,
    default=FleetConfig.seed,
    help="Seed of the random numbers: the same seed gives the same drivers and the same bytes.",
)
@click.option("--users", type=int, default=FleetConfig.users, help="Number of drivers.")
@click.option(
    "--first-user",
    type=int,
    default=FleetConfig.first_user,
    help="Number of the first driver; each is the same in every run of a seed.",
)
@click.option("--days", type=int, default=FleetConfig.days, help="Local days.")
@click.option("--start", type=_DAY, default=FleetConfig.start.isoformat(), help="First local day.")
@click.option(
    "--mode",
    type=click.Choice(MODES),
    default=FleetConfig.mode,
    help="sketch: archetypes to the letter; calibrated: people as they are.",
)
@click.option(
    "--controller",
    type=click.Choice(CONTROLLERS),
    default=FleetConfig.controller,
    help="Who decides when cars charge.",
)
@click.option(
    "--scheduled-start",
    default=FleetConfig.scheduled_start,
    help="Local time from which the scheduled controller charges, HH:MM.",
)
@click.option(
    "--jitter-minutes",
    type=float,
    default=FleetConfig.jitter_minutes,
    help="Longest random delay of a planned charge.",
)
@click.option(
    "--cap-kw-per-car",
    type=float,
    help="Power that the smart controller plans with per car of the fleet; without it, any.",
)
@click.option(
    "--dispatch",
    "dispatch_mode",
    type=click.Choice(["none", *DISPATCH_MODES]),
    default="none",
    help="What a market calls for in its windows: give energy back, or take none.",
)
@click.option(
    "--dispatch-start", default=Dispatch.start, help="Local time at which a window begins, HH:MM."
)
@click.option(
    "--dispatch-end", default=Dispatch.end, help="Local time at which a window ends, HH:MM."
)
@click.option(
    "--dispatch-date",
    "dispatch_dates",
    type=_DAY,
    multiple=True,
    help="Local day of a window; may be given several times. Without it, the Tuesdays and"
    " Thursdays of the second half of the run.",
)
@click.option(
    "--dispatch-notice-minutes",
    type=int,
    default=Dispatch.notice_minutes,
    help="How long before a window cars are instructed.",
)
@click.option(
    "--dispatch-acknowledged-share",
    type=float,
    default=Dispatch.acknowledged_share,
    help="How many of the instructed cars answer, and act.",
)
@click.option(
    "--step-minutes",
    type=click.Choice([str(minutes) for minutes in STEPS]),
    default=str(FleetConfig.step_minutes),
    help="Length of the intervals of the telemetry.",
)
@click.option("--zone", default=FleetConfig.zone, help="Price zone.")
@click.option(
    "--time-zone", help="IANA name of the drivers' clock; without it, that of the price zone."
)
@click.option(
    "--warm-up-days",
    type=int,
    default=FleetConfig.warm_up_days,
    help="Days simulated before the first and thrown away.",
)
@click.option(
    "--prices",
    "prices_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV or Parquet file like the feed market__prices, in place of the made-up market.",
)
@click.option(
    "--archetypes",
    "archetypes_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV file of the kinds of drivers, in place of seeds/reference/charging_archetypes.csv.",
)
@click.option(
    "--run-id", default="", help="Name of the run; without it, its controller and its dispatch."
)
@click.option(
    "--counterfactual-run-id",
    default="",
    help="Name of the run of the same drivers without the dispatch.",
)
@click.option(
    "--damage/--no-damage",
    "is_damaged",
    default=False,
    help="Whether telemetry and plug events are lost, late, repeated or wrong now and then.",
)
@click.option(
    "--format", "file_format", type=click.Choice(FORMATS), default="csv", help="File format."
)
@click.option("--overwrite", is_flag=True, help="Replace the run that the folder holds.")
@click.pass_context
def simulate_fleet(
    context: click.Context,
    output: Path | None,
    seed: int,
    file_format: str,
    overwrite: bool,
    **options: Any,
) -> None:
    """Simulate drivers, their cars and a controller.

    Without --output: the seven seeds of this project, three runs of a small fleet that are
    damaged, with bad rows among the good ones. They are the same bytes on every run.

    With --output: the files simulator__users, simulator__telemetry, simulator__plug_events,
    simulator__trips, simulator__dispatches, simulator__session_truth, simulator__injected_damage
    and market__prices, which the var feeds takes, without bad rows, and manifest.json. Several
    runs go into folders beside each other and are named together, as in
    simulator__telemetry: runs/*/simulator__telemetry.parquet
    """
    if output is None:
        refuse_options(
            context,
            _SEEDS_TAKE,
            "is for a run of its own and needs --output;"
            f" the seeds have {SEED_DAYS} days of {SEED_USERS} drivers.",
        )
    _refuse_idle_options(context, options)
    with one_clear_line(output or SEEDS_FOLDER):
        if output is None:
            written = write_simulator_seeds(SEEDS_FOLDER, read_archetypes(ARCHETYPES), seed)
        else:
            run = _run(seed, options)
            fleet = run.fleet()
            if not overwrite:
                _refuse_other_run(output)
            with click.progressbar(length=steps(run), label="Simulating days") as progress:
                written = write_run(run, fleet, output, file_format, progress.update)
    show(written)


def _refuse_other_run(folder: Path) -> None:
    try:
        refuse_other_run(folder)
    except FileExistsError as error:
        raise click.ClickException(f"{error}; --overwrite replaces it") from error


def _run(seed: int, options: dict[str, Any]) -> Run:
    """Return the run that the options ask for.

    Raises:
        ValueError: it can't be; the message names option and value.
    """
    config = FleetConfig(
        users=options["users"],
        first_user=options["first_user"],
        days=options["days"],
        start=options["start"].date(),
        seed=seed,
        mode=options["mode"],
        controller=options["controller"],
        dispatch=_dispatch(options),
        step_minutes=int(options["step_minutes"]),
        zone=options["zone"],
        time_zone=options["time_zone"] or _time_zone(options["zone"]),
        warm_up_days=options["warm_up_days"],
        jitter_minutes=options["jitter_minutes"],
        cap_kw_per_car=options["cap_kw_per_car"],
        scheduled_start=options["scheduled_start"],
    )
    prices_file = options["prices_file"]
    return Run(
        config,
        read_archetypes(options["archetypes_file"] or ARCHETYPES),
        read_prices(prices_file, config) if prices_file else market_prices(config),
        run_id=options["run_id"],
        counterfactual_run_id=options["counterfactual_run_id"],
        damage_shares=USUAL_SHARES if options["is_damaged"] else {},
    )


def _dispatch(options: dict[str, Any]) -> Dispatch | None:
    if options["dispatch_mode"] == "none":
        return None
    return Dispatch(
        mode=options["dispatch_mode"],
        start=options["dispatch_start"],
        end=options["dispatch_end"],
        dates=tuple(moment.date() for moment in options["dispatch_dates"]),
        notice_minutes=options["dispatch_notice_minutes"],
        acknowledged_share=options["dispatch_acknowledged_share"],
    )


def _time_zone(zone: str) -> str:
    with PRICE_ZONES.open(newline="", encoding="utf-8") as lines:
        clocks = {row["price_zone"]: row["time_zone"] for row in csv.DictReader(lines)}
    if zone not in clocks:
        raise ValueError(
            f"the clock of a price zone named {zone!r} isn't known: --time-zone names it"
        )
    return clocks[zone]


def _refuse_idle_options(context: click.Context, options: dict[str, Any]) -> None:
    """Refuse options that would change nothing."""
    needs = {}
    if options["dispatch_mode"] == "none":
        needs |= {name: "--dispatch drain or pause" for name in _OF_A_DISPATCH}
    if options["controller"] != "scheduled":
        needs["scheduled_start"] = "--controller scheduled"
    for option in given_options(context):
        if option.name in needs:
            raise click.UsageError(f"{option.opts[0]} needs {needs[option.name]}.")


if __name__ == "__main__":
    simulate_fleet()
