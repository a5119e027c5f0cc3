"""Run commands and measure their time and memory."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click


@dataclass(frozen=True)
class Measured:
    """What a command took and printed.

    Attributes:
        seconds: on the clock.
        cpu_seconds: of all cores, with those of the processes that it waited for.
        peak_gib: peak resident memory, GiB.
        output: what it printed.
    """

    seconds: float
    cpu_seconds: float
    peak_gib: float
    output: str


def run(
    command: list[str], *, cwd: Path | None = None, env: dict[str, str] | None = None
) -> Measured:
    """Run a command to its end and measure it.

    Raises:
        click.ClickException: the command failed; the message ends with what it printed last.
    """
    started = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=os.environ | (env or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        output = process.stdout.read()
        # wait4 knows CPU time and peak memory of this one child; Linux gives memory in KiB.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode != 0:
        raise click.ClickException(f"{' '.join(command)} failed:\n{output[-2000:]}")
    cpu_seconds = usage.ru_utime + usage.ru_stime
    return Measured(seconds, cpu_seconds, usage.ru_maxrss / 1024**2, output)


def run_python(module: str, *arguments: str) -> Measured:
    """Run a module of this project in a Python process of its own and measure it."""
    scripts = str(Path(__file__).resolve().parents[2])
    return run([sys.executable, "-m", module, *arguments], env={"PYTHONPATH": scripts})


def run_dbt(
    *arguments: str,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    warehouse: Path,
    target: Path,
) -> tuple[Measured, dict]:
    """Run dbt on a warehouse file of its own; returns the measurement and dbt's run results."""
    command = [str(Path(sys.executable).with_name("dbt")), *arguments]
    command += ["--target-path", str(target), "--log-path", str(target / "logs")]
    measured = run(command, cwd=cwd, env={"EV_WAREHOUSE": str(warehouse), **(env or {})})
    return measured, json.loads((target / "run_results.json").read_text())


def seconds_in_nodes(results: dict, kind: str = "") -> float:
    """Seconds from the start of the first node of a dbt run to the end of its last one.

    Of a kind (model, seed, test) only the nodes of that kind count.
    """
    stamps = [
        datetime.fromisoformat(timing[end])
        for result in results["results"]
        if result["unique_id"].startswith(kind)
        for timing in result["timing"]
        for end in ("started_at", "completed_at")
    ]
    return (max(stamps) - min(stamps)).total_seconds()
