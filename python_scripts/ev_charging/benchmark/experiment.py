"""A large experiment from its files to the decision, and the bootstrap beside that of scipy."""

import json
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

import click
import duckdb
import numpy as np
from scipy import stats

from ev_charging.benchmark.measure import run, run_dbt, seconds_in_nodes
from ev_charging.experiment.arm import Arm
from ev_charging.experiment.bootstrap import user_bootstrap

GENERATOR = Path(__file__).resolve().parents[2] / "generate_experiment.py"
# Four weeks at two and a half sessions a week: ten sessions per user.
DAYS = 28
REPLICATES = 2_000
# Both primaries are resampled.
PRIMARIES = 2


def run_decision(*, users: int, repeats: int, folder: Path, **_: object) -> None:
    """Measure the way from the feeds to experiment_decision; targets are 10 s and 2 GiB."""
    feeds = _feeds(users, folder)
    whole, in_models = [], []
    for _number in range(repeats):
        warehouse = folder / "warehouse.duckdb"
        warehouse.unlink(missing_ok=True)
        measured, results = run_dbt(
            "build",
            "--select",
            "+experiment_decision",
            "--exclude-resource-type",
            "test",
            "unit_test",
            "--vars",
            json.dumps({"feeds": feeds, "experiment_bootstrap_replicates": REPLICATES}),
            warehouse=warehouse,
            target=folder / "target",
        )
        whole.append(measured)
        in_models.append(seconds_in_nodes(results, "model."))
    assigned, sessions, decision = _figures(warehouse)
    click.echo(
        f"  {assigned:,} users, {sessions:,} sessions, {REPLICATES:,} replicates: {decision}"
    )
    click.echo(
        f"  warehouse        {median(in_models):6.1f} s in its models (target 10 s), "
        f"{max(m.peak_gib for m in whole):5.2f} GiB (target 2 GiB), "
        f"{median(m.seconds for m in whole):.1f} s with seeds and the start of dbt"
    )


def run_bootstrap(*, users: int, repeats: int, **_: object) -> None:
    """Measure the user bootstrap of both primaries beside scipy's over the indices of users."""
    random = np.random.default_rng(42)
    control, treatment = (_arm(random, users // 2) for _ in range(2))
    ours, theirs = [], []
    for _number in range(repeats):
        started = perf_counter()
        for metric in range(PRIMARIES):
            percentile, _bca, _differences = user_bootstrap(
                control, treatment, REPLICATES, seed=42, stream=f"benchmark/{metric}"
            )
        ours.append(perf_counter() - started)
        started = perf_counter()
        for metric in range(PRIMARIES):
            by_scipy = _scipy_bootstrap(control, treatment, seed=metric)
        theirs.append(perf_counter() - started)
    click.echo(f"  {users:,} users, {REPLICATES:,} replicates, {PRIMARIES} metrics")
    click.echo(f"  scipy.stats      {median(theirs):6.1f} s, interval {_interval(*by_scipy)}")
    ci = percentile.ci_low, percentile.ci_high
    click.echo(f"  warehouse        {median(ours):6.1f} s, interval {_interval(*ci)}, BCa included")
    click.echo(f"  ratio            {median(theirs) / median(ours):6.1f} times faster (target 3)")


def _feeds(users: int, folder: Path) -> dict[str, str]:
    """The feeds of the large experiment, written by the generator's bulk mode if not there."""
    place = folder / f"experiment_{users}"
    names = ("experiment__users", "experiment__sessions", "market__prices")
    files = {name: place / f"{name}.parquet" for name in names}
    if not all(file.exists() for file in files.values()):
        click.echo(f"  writing an experiment of {users:,} users ...")
        options = ["--users", str(users), "--days", str(DAYS), "--format", "parquet"]
        # One that the reference seed does not end after two weeks.
        options += ["--experiment-id", "benchmark"]
        run([sys.executable, str(GENERATOR), *options, "--output", str(place)])
    return {name: str(file) for name, file in files.items()}


def _figures(warehouse: Path) -> tuple[int, int, str]:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return connection.execute(
            """
            select
                (select count(*) from intermediate.int_experiment_assignments),
                (select count(*) from intermediate.int_experiment_sessions),
                (select string_agg(state, ', ') from experiment.experiment_decision)
            """
        ).fetchone()


def _arm(random: np.random.Generator, users: int) -> Arm:
    """Users with the sessions and energies that drivers have: many differ, some are heavy."""
    sessions = random.poisson(random.gamma(1.2, 8, users)).astype(float)
    return Arm(sessions * random.lognormal(2.3, 0.6, users), sessions)


def _scipy_bootstrap(control: Arm, treatment: Arm, seed: int) -> tuple[float, float]:
    def difference(of_control: np.ndarray, of_treatment: np.ndarray, axis: int) -> np.ndarray:
        return _ratio(treatment, of_treatment, axis) - _ratio(control, of_control, axis)

    result = stats.bootstrap(
        (np.arange(control.users), np.arange(treatment.users)),
        difference,
        n_resamples=REPLICATES,
        # All replicates at once would take gigabytes.
        batch=50,
        vectorized=True,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return result.confidence_interval


def _ratio(arm: Arm, indices: np.ndarray, axis: int) -> np.ndarray:
    return arm.numerator[indices].sum(axis=axis) / arm.denominator[indices].sum(axis=axis)


def _interval(low: float, high: float) -> str:
    return f"{low:.4f} .. {high:.4f}"
