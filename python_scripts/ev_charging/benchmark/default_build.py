"""The build of the default project beside a dbt project of one model."""

from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import click

from ev_charging.benchmark.measure import run_dbt

BARE_PROJECT = """\
name: bare
version: 1.0.0
profile: bare
model-paths: [models]
flags: {send_anonymous_usage_stats: false}
"""
BARE_PROFILE = """\
bare:
  target: local
  outputs: {local: {type: duckdb, path: "{{ env_var('EV_WAREHOUSE') }}", threads: 4}}
"""


def run(*, repeats: int, folder: Path, **_: object) -> None:
    """Build the default project and the bare one in turn and print seconds per node of both."""
    ours, bare = [], []
    with TemporaryDirectory(dir=folder) as temporary:
        place = Path(temporary)
        project = _write_bare_project(place / "bare")
        for number in range(repeats):
            ours.append(_seconds_and_nodes(None, place / f"ours_{number}"))
            bare.append(_seconds_and_nodes(project, place / f"bare_{number}"))
    for name, runs in (("default project", ours), ("bare project", bare)):
        seconds = median(run[0] for run in runs)
        nodes = runs[0][1]
        click.echo(
            f"  {name:16} {seconds:6.1f} s for {nodes:4,} nodes, {seconds / nodes:7.3f} s per node"
        )
    ratio = median(run[0] for run in ours) / median(run[0] for run in bare)
    click.echo(f"  the default project takes {ratio:.1f} times as long as one model (target 60 s)")


def _write_bare_project(folder: Path) -> Path:
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(BARE_PROJECT)
    (folder / "profiles.yml").write_text(BARE_PROFILE)
    (folder / "models" / "one.sql").write_text("select 1 as one\n")
    return folder


def _seconds_and_nodes(project: Path | None, place: Path) -> tuple[float, int]:
    place.mkdir()
    measured, results = run_dbt(
        "build", cwd=project, warehouse=place / "warehouse.duckdb", target=place / "target"
    )
    return measured.seconds, len(results["results"])
