"""Measure speed and memory of the warehouse and print them as ratios of one run."""

from pathlib import Path

import click

from ev_charging.benchmark import charging_network, default_build, experiment, hourly_loads

PARTS = {
    "build": default_build.run,
    "loads_csv": hourly_loads.run_csv,
    "loads_parquet": hourly_loads.run_parquet,
    "loads_pandas": hourly_loads.run_pandas,
    "experiment": experiment.run_decision,
    "bootstrap": experiment.run_bootstrap,
    "network": charging_network.run_network,
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(PARTS)))
@click.option("--rows", default=20_000_000, show_default=True, help="Rows of the load feed.")
@click.option("--users", default=100_000, show_default=True, help="Users of the experiment.")
@click.option("--messages", default=20_000_000, show_default=True, help="Messages of chargers.")
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
def main(
    names: tuple[str, ...], rows: int, users: int, messages: int, repeats: int, folder: Path
) -> None:
    """Run the benchmarks NAMES (all without any).

    They are build, loads_csv, loads_parquet, loads_pandas, experiment, bootstrap and network.

    Seconds depend on the machine and on what else it does; the ratios compare two sides that were
    measured in turn in this run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or PARTS:
        click.secho(f"\n{name}", bold=True)
        PARTS[name](
            rows=rows, users=users, messages=messages, repeats=repeats, folder=folder.resolve()
        )


if __name__ == "__main__":
    main()
