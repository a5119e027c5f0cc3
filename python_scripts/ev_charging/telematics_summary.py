"""The key figures of driving and charging logs, each as a name, a share and what it is of."""

import duckdb
import pandas as pd

from ev_charging.experiment.wording import percent
from ev_charging.warehouse import read_mart

_SESSIONS = """
    select
        count(*) as sessions,
        count_if(completeness = 'complete') as complete,
        count_if(completeness = 'inferred') as inferred
    from mobility.session_indicators
"""
_DRIVES = """
    select
        coalesce(sum(drives), 0) as drives,
        coalesce(sum(long_drives), 0) as long_drives
    from mobility.drive_lengths_by_day
"""
# The month and the figure are those of the plot of consumption.
_HUNGRIEST = """
    with

    drawn_month as (

        select month
        from mobility.vehicle_type_consumption
        group by month
        order by sum(judged_drives) desc, month desc
        limit 1

    )

    select
        vehicle_type,
        kwh_per_100km_p50
    from mobility.vehicle_type_consumption
    where month in (select month from drawn_month)
    order by kwh_per_100km_p50 desc nulls last, vehicle_type
    limit 1
"""
_CELLS = """
    select
        count(*) as cells,
        count_if(is_published) as published
    from quality.extract_audit
"""
_KEYS = "select distinct key_source from intermediate.int_extracts__pseudonyms"
# Types may have any name.
_NAME_CHARACTERS = 20


def telematics_figures(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    """Return name, share and remark of sessions, drives and extracts, where there are any."""
    return [*_sessions(connection), *_drives(connection), *_extracts(connection)]


def _sessions(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    counts = read_mart(connection, _SESSIONS).iloc[0]
    if not counts.sessions:
        return []
    remark = (
        f"of {counts.sessions:,.0f} rebuilt are complete;"
        f" inferred from the state of charge {counts.inferred:,.0f}"
    )
    return [("sessions", percent(counts.complete / counts.sessions), remark)]


def _drives(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    counts = read_mart(connection, _DRIVES).iloc[0]
    if not counts.drives:
        return []
    remark = f"of {counts.drives:,.0f} are long{_hungriest(connection)}"
    return [("drives", percent(counts.long_drives / counts.drives), remark)]


def _hungriest(connection: duckdb.DuckDBPyConnection) -> str:
    types = read_mart(connection, _HUNGRIEST).dropna(subset=["kwh_per_100km_p50"])
    if types.empty:
        return ""
    (first,) = types.itertuples()
    name = first.vehicle_type[:_NAME_CHARACTERS]
    return f"; {name} takes most, median {first.kwh_per_100km_p50:,.1f} kWh per 100 km"


def _extracts(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    cells = read_mart(connection, _CELLS).iloc[0]
    if not cells.cells:
        return []
    remark = f"of {cells.cells:,.0f} cells may be published{_key(connection)}"
    return [("extracts", percent(cells.published / cells.cells), remark)]


def _key(connection: duckdb.DuckDBPyConnection) -> str:
    sources: pd.Series = read_mart(connection, _KEYS)["key_source"]
    if sources.empty:
        return ""
    if sources.eq("environment").all():
        return "; pseudonyms by the key in EV_PSEUDONYM_KEY"
    return "; pseudonyms of this build, no EV_PSEUDONYM_KEY"
