"""Measure speed and memory of the warehouse and print them as ratios of one run."""

from pathlib import Path

import click

from ev_charging.benchmark import (
    charging_network,
    default_build,
    experiment,
    fleet_simulation,
    hourly_loads,
    pseudonyms,
    telematics_marts,
    telemetry_rebuild,
)

PARTS = {
    "build": default_build.run,
    "loads_csv": hourly_loads.run_csv,
    "loads_parquet": hourly_loads.run_parquet,
    "loads_pandas": hourly_loads.run_pandas,
    "experiment": experiment.run_decision,
    "bootstrap": experiment.run_bootstrap,
    "network": charging_network.run_network,
    "simulation": fleet_simulation.run_simulation,
    "large_fleet": fleet_simulation.run_large_fleet,
    "telemetry": telemetry_rebuild.run_rebuild,
    "telemetry_pandas": telemetry_rebuild.run_pandas,
    "telematics": telematics_marts.run_telematics,
    "pseudonyms": pseudonyms.run_pseudonyms,
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(PARTS)))
@click.option("--rows", default=20_000_000, show_default=True, help="Rows of the load feed.")
@click.option("--users", default=100_000, show_default=True, help="Users of the experiment.")
@click.option("--messages", default=20_000_000, show_default=True, help="Messages of chargers.")
@click.option("--cars", default=10_000, show_default=True, help="Cars of a simulated fleet.")
@click.option("--telemetry", default=100_000_000, show_default=True, help="Rows of telemetry.")
@click.option("--records", default=20_000_000, show_default=True, help="Drives and charges.")
@click.option("--ids", default=5_000_000, show_default=True, help="Ids to be pseudonymised.")
@click.option(
    "--repeats", default=3, show_default=True, help="Runs of each side; medians are shown."
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("target/benchmark"),
    show_default=True,
    help="Where feeds and warehouses of the benchmark are kept.",
)
def main(names: tuple[str, ...], folder: Path, **sizes: int) -> None:
    """Run the benchmarks NAMES (all without any).

    They are build, loads_csv, loads_parquet, loads_pandas, experiment, bootstrap, network,
    simulation, large_fleet, telemetry, telemetry_pandas, telematics and pseudonyms.

    Seconds depend on the machine and on what else it does; the ratios compare two sides that were
    measured in turn in this run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or PARTS:
        click.secho(f"\n{name}", bold=True)
        PARTS[name](folder=folder.resolve(), **sizes)


if __name__ == "__main__":
    main()
