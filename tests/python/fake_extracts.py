"""A small warehouse that holds what an export reads, made without dbt."""

import hashlib
import json
import tempfile
from functools import cache
from pathlib import Path

import duckdb

VEHICLES, CLIENTS = 24, 6
PERIOD, EMPTY_PERIOD = "2025-06", "2025-05"
EPOCH = "1"
PARTNERS = ("energy_aggregator", "grid_operator", "vehicle_manufacturer")
WITH_PSEUDONYMS = PARTNERS[:2]
PARAMETERS = {
    "extract_epoch": EPOCH,
    "extract_min_vehicles": 11,
    "extract_min_clients": 5,
    "extract_p_percent": 0.15,
    "extract_dominance_share": 0.85,
    "extract_energy_step_kwh": 50,
    "extract_power_step_kw": 1,
    "extract_duration_step_minutes": 5,
    "extract_soc_step_pct": 5,
    "extract_distance_step_km": 5,
    "extract_consumption_step_kwh": 1,
    "extract_share_step_pct": 5,
    "extract_soc_class_pct": 20,
    "extract_power_class_kw": [11, 50],
    "extract_records_per_vehicle": 3,
}
LISTED = {
    "grid_operator": {
        "charging_records": (
            *("month", "vehicle_pseudonym", "soc_start_pct", "soc_end_pct", "power_class"),
        ),
        "drive_lengths": ("month", "drive_date", "day_period", "median_distance_km"),
    },
    "energy_aggregator": {
        # Fewer columns than the extract has, in another order.
        "charging_records": ("soc_end_pct", "vehicle_pseudonym", "soc_start_pct"),
        "session_indicators": ("month", "energy_kwh", "place", "median_power_kw"),
    },
    "vehicle_manufacturer": {
        "vehicle_type_consumption": ("vehicle_type", "consumption_median_kwh_per_100km"),
        "battery_usage": ("month", "battery_class", "median_energy_kwh"),
    },
}
# Each kind of vehicle has its set of (soc_start_pct, soc_end_pct, power_class).
RECORDS = (
    ((20, 80, "up to 11"), (20, 80, "above 50"), (40, 100, "up to 11")),
    ((0, 100, "up to 11"),),
)
TABLES = """
    create schema core;
    create schema extracts;
    create schema intermediate;
    create schema quality;
    create schema reference;
    create table core.dim_vehicle (
        source_system varchar, vehicle_id varchar, client_id varchar
    );
    create table intermediate.int_extracts__parameters (parameter varchar, value varchar);
    create table intermediate.int_extracts__pseudonyms (
        partner varchar, month varchar, vehicle_id varchar, vehicle_pseudonym varchar,
        epoch varchar, key_source varchar
    );
    create table extracts.extract_charging_records (
        partner varchar, month varchar, vehicle_pseudonym varchar,
        soc_start_pct integer, soc_end_pct integer, power_class varchar
    );
    create table reference.partner_extracts (
        partner varchar, extract varchar, column_name varchar, reason varchar
    );
    create table quality.extract_audit (
        extract varchar, month varchar, cell varchar, vehicles bigint, clients bigint,
        is_published boolean, hidden_reason varchar
    );
"""
AGGREGATES = """
    create table extracts.extract_drive_lengths (
        month varchar, drive_date date, weekday integer, day_period varchar,
        median_distance_km integer, long_drives_share_pct integer
    );
    insert into extracts.extract_drive_lengths values
        ('2025-06', '2025-06-10', 2, 'night', 5, 0),
        ('2025-06', '2025-06-09', 1, 'morning', 100, 5),
        ('2025-06', '2025-06-09', 1, 'evening', null, null);
    create table extracts.extract_session_indicators (
        month varchar, place varchar, energy_kwh bigint, median_power_kw integer
    );
    insert into extracts.extract_session_indicators values
        ('2025-06', 'public', 50, 90), ('2025-06', 'home', 1000, -7), ('2025-06', 'depot', 950, 8);
    create table extracts.extract_vehicle_type_consumption (
        month varchar, vehicle_type varchar, consumption_median_kwh_per_100km integer
    );
    insert into extracts.extract_vehicle_type_consumption values
        ('2025-06', 'van, "large"', 25), ('2025-06', '=car', 18), ('2025-06', 'Škoda 電', 17);
    create table extracts.extract_battery_usage (
        month varchar, battery_class varchar, median_energy_kwh bigint
    );
    insert into quality.extract_audit
    select *, 11, 5, true, null from (
        select 'drive_lengths', month, drive_date || ' / ' || day_period
        from extracts.extract_drive_lengths
        union all
        select 'session_indicators', month, place from extracts.extract_session_indicators
        union all
        select 'vehicle_type_consumption', month, vehicle_type
        from extracts.extract_vehicle_type_consumption
    );
"""


def vehicle_id(number: int) -> str:
    return f"WFAKE{number:012}"


def client_id(number: int) -> str:
    return f"CLIENT-{number % CLIENTS}"


def pseudonym(partner: str, number: int) -> str:
    """A text like a pseudonym; arrival and pseudonyms aren't in the same order."""
    return hashlib.sha256(f"secret {partner} {number}".encode()).hexdigest()[:32]


def fake_warehouse(folder: Path, change: str = "", vehicles: int = VEHICLES) -> Path:
    """Write the warehouse, then change it by SQL, and return its path.

    Args:
        folder: where to write; it must exist.
        change: statements that are run at the end.
        vehicles: half of them are of one kind, half of the other.
    """
    path = folder / "warehouse.duckdb"
    path.write_bytes(_unchanged(vehicles))
    if change:
        with duckdb.connect(str(path)) as connection:
            connection.execute(change)
    return path


@cache
def _unchanged(vehicles: int) -> bytes:
    """The file of a warehouse: made once, because copies are quicker."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "warehouse.duckdb")
        with duckdb.connect(str(path)) as connection:
            connection.execute(TABLES)
            _fill(connection, "core.dim_vehicle", _vehicles(vehicles))
            _fill(
                connection,
                "intermediate.int_extracts__parameters",
                [(name, json.dumps(value)) for name, value in PARAMETERS.items()],
            )
            _fill(connection, "intermediate.int_extracts__pseudonyms", _pseudonyms(vehicles))
            _fill(connection, "extracts.extract_charging_records", _records(vehicles))
            _fill(connection, "reference.partner_extracts", _listed())
            connection.execute(AGGREGATES)
        return path.read_bytes()


def _fill(connection: duckdb.DuckDBPyConnection, table: str, rows: list[tuple]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    lists = ", ".join(f"unnest(${place + 1})" for place in range(len(columns)))
    connection.execute(f"insert into {table} select {lists}", columns)


def _vehicles(count: int) -> list[tuple]:
    known = [("telematics", vehicle_id(number), client_id(number)) for number in range(count)]
    return [*known, ("unknown", "unknown", None)]


def _pseudonyms(count: int) -> list[tuple]:
    return [
        (partner, PERIOD, vehicle_id(number), pseudonym(partner, number), EPOCH, "environment")
        for partner in WITH_PSEUDONYMS
        for number in range(count)
    ]


def _records(count: int) -> list[tuple]:
    return [
        (partner, PERIOD, pseudonym(partner, number), *record)
        for number in range(count)
        for partner in WITH_PSEUDONYMS
        for record in RECORDS[number * 2 // count]
    ]


def _listed() -> list[tuple]:
    return [
        (partner, extract, column, "asked for")
        for partner, extracts in LISTED.items()
        for extract, columns in extracts.items()
        for column in columns
    ]
