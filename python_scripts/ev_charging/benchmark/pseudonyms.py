"""Pseudonyms by the macros of the project, beside one plain hash of the same ids."""

import os
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time

import click
import duckdb

from ev_charging.benchmark.measure import run

# A month of a partner, as the macros ask for it.
PARTNER, MONTH = "grid_operator", "2025-06"
# Tables are written as the profile of the project writes them.
FORMAT = {"storage_compatibility_version": "v1.4.0"}
IDS = """
    create table ids as
    select 'YV1ZZZ' || lpad(cast(i as varchar), 11, '0') as vehicle_id, ? as month
    from range(?) as numbers (i)
"""
PARTNER_MONTHS = "create table partner_months as select ? as partner, ? as month"
PLAIN = "select vehicle_id, sha256(vehicle_id) as pseudonym from ids"
KEYED = """
    with {{ with_pseudonym_keys('partner_months') }}
    select ids.vehicle_id, {{ pseudonym('vehicle', 'ids.vehicle_id') }} as pseudonym
    from ids
    inner join pseudonym_keys on ids.month = pseudonym_keys.month
"""


def run_pseudonyms(*, ids: int, repeats: int, folder: Path, **_: object) -> None:
    """Measure a table of pseudonyms beside a table of hashes; the target is 3 times the hashes."""
    queries = {"plain sha256": PLAIN, "pseudonyms": _rendered(KEYED, folder)}
    stored, computed = ({name: [] for name in queries} for _ in range(2))
    with (
        TemporaryDirectory(dir=folder) as scratch,
        duckdb.connect(str(Path(scratch) / "ids.duckdb"), config=FORMAT) as connection,
    ):
        connection.execute("set variable pseudonym_master_key = ?", [os.urandom(32)])
        connection.execute(IDS, [MONTH, ids])
        connection.execute(PARTNER_MONTHS, [PARTNER, MONTH])
        # In turn, so that a busy machine slows both sides.
        for _number in range(repeats):
            for name, query in queries.items():
                stored[name].append(
                    _cpu_seconds(connection, f"create or replace table pseudonyms as {query}")
                )
                computed[name].append(
                    _cpu_seconds(connection, f"select max(pseudonym) from ({query})")
                )
        distinct = connection.execute(
            "select count(distinct pseudonym) from pseudonyms"
        ).fetchone()[0]
    click.echo(f"  {ids:,} ids, {distinct:,} pseudonyms")
    for name in queries:
        click.echo(
            f"  {name:16} {median(stored[name]):6.2f} CPU-s as a table, "
            f"{median(computed[name]):.2f} CPU-s without storing them"
        )
    in_tables, alone = (
        median(side["pseudonyms"]) / median(side["plain sha256"]) for side in (stored, computed)
    )
    click.echo(f"  ratio            {in_tables:6.2f} (target 3), {alone:.2f} without storing them")


def _cpu_seconds(connection: duckdb.DuckDBPyConnection, statement: str) -> float:
    started = process_time()
    connection.execute(statement).fetchall()
    return process_time() - started


def _rendered(query: str, folder: Path) -> str:
    """The query as dbt renders it for the project."""
    with TemporaryDirectory(dir=folder) as target:
        command = [str(Path(sys.executable).with_name("dbt")), "--quiet", "compile"]
        command += ["--inline", query, "--target-path", target, "--log-path", target]
        return run(command, env={"EV_WAREHOUSE": str(Path(target) / "warehouse.duckdb")}).output
