"""The columns of the feeds and of the truth, and how their values are written."""

import duckdb
import pandas as pd

# How a value that the simulation holds becomes a value of a feed, which is text, or of the truth.
_TYPES = {
    "text": "cast({} as varchar)",
    "integer": "cast({} as integer)",
    "boolean": "cast({} as boolean)",
    "day": "cast({} as date)",
    "power": "cast(cast({} as decimal(18, 1)) as varchar)",
    "instant": "make_timestamp(cast({} as bigint) * 1000000)",
    # Whole Wh and W, which a division of binary numbers would round.
    "thousandths": "cast(cast({} as decimal(18, 0)) * 0.001 as decimal(18, 6))",
    # A message without action or payload has none.
    "text_or_none": "nullif(cast({} as varchar), '')",
    "direction": "if({}, 'from_charger', 'to_charger')",
}
_AS_TEXT = {
    "instant": "strftime({}, '%Y-%m-%dT%H:%M:%SZ')",
    "thousandths": "cast(cast({} as decimal(18, 3)) as varchar)",
}

FEEDS = {
    "network__stations": {
        "station_id": "text",
        "site_id": "text",
        "station_name": "text",
        "time_zone": "text",
        "protocol": "text",
        "heartbeat_seconds": "integer",
    },
    "network__ports": {
        "station_id": "text",
        "evse_id": "integer",
        "connectors": "text",
        "rated_power_kw": "power",
        "commissioned_on": "day",
        "retired_on": "day",
        "time_zone": "text",
    },
    "network__charging_sessions": {
        "session_id": "text",
        "station_id": "text",
        "started_at": "instant",
        "ended_at": "instant",
        "energy_kwh": "thousandths",
        "succeeded": "boolean",
    },
    "network__charger_messages": {
        "charger_id": "text",
        "received_at": "instant",
        "direction": "direction",
        "message_id": "text",
        "action": "text_or_none",
        "payload": "text_or_none",
    },
    "network__outage_exclusions": {
        "station_id": "text",
        "evse_id": "integer",
        "excluded_from": "instant",
        "excluded_until": "instant",
        "reason": "text",
    },
    "network__injected_damage": {"kind": "text", "charger_id": "text", "reference": "text"},
}
TRUTH = {
    "truth_attempts": {
        "attempt_id": "text",
        "charger_id": "text",
        "evse_id": "integer",
        "transaction_id": "text",
        "id_token": "text",
        "attempt_mode": "text",
        "started_at": "instant",
        "power_started_at": "instant",
        "ended_at": "instant",
        "stop_reason": "text",
        "energy_kwh": "thousandths",
        "has_power_delivery": "boolean",
        "has_valid_stop": "boolean",
        "outcome": "text",
        "failure_reason": "text",
        "driver_token": "text",
        "is_driver_inferred": "boolean",
        "site_id": "text",
        "site_timezone": "text",
        "visit_id": "text",
        "attempt_number": "integer",
        "is_last_attempt": "boolean",
    },
    "truth_visits": {
        "visit_id": "text",
        "driver_token": "text",
        "site_id": "text",
        "site_timezone": "text",
        "started_at": "instant",
        "ended_at": "instant",
        "attempts": "integer",
        "stations": "integer",
        "ports": "integer",
        "is_first_attempt_succeeded": "boolean",
        "outcome": "text",
        "visit_result": "text",
        "energy_kwh": "thousandths",
    },
    "truth_sessions": {
        "source": "text",
        "session_id": "text",
        "list_session_id": "text",
        "charger_id": "text",
        "evse_id": "integer",
        "transaction_id": "text",
        "protocol": "text",
        "id_token": "text",
        "attempt_mode": "text",
        "plugged_in_at": "instant",
        "plugged_out_at": "instant",
        "started_at": "instant",
        "ended_at": "instant",
        "power_started_at": "instant",
        "stop_reason": "text",
        "energy_kwh": "thousandths",
        "max_power_kw": "thousandths",
        "soc_start_pct": "integer",
        "soc_end_pct": "integer",
        "outcome": "text",
        "failure_reason": "text",
    },
    "truth_outages": {
        "charger_id": "text",
        "evse_id": "integer",
        "started_at": "instant",
        "ended_at": "instant",
        "causes": "text",
    },
}


def relation(
    connection: duckdb.DuckDBPyConnection, table: str, rows: list[tuple]
) -> duckdb.DuckDBPyRelation:
    """Return rows of a feed as text, or rows of the truth with their types.

    Raises:
        KeyError: if there is no such table.
    """
    is_feed = table in FEEDS
    columns = FEEDS[table] if is_feed else TRUTH[table]
    # Objects keep whole numbers whole where some are missing.
    frame = pd.DataFrame(rows, columns=list(columns), dtype=object)
    connection.register("rows", frame)
    expressions = []
    for column, kind in columns.items():
        value = _TYPES[kind].format(f'"{column}"')
        if is_feed:
            value = _AS_TEXT.get(kind, "cast({} as varchar)").format(value)
        expressions.append(f'{value} as "{column}"')
    return connection.sql(f"select {', '.join(expressions)} from rows")


def text_frame(feed: str, rows: list[tuple]) -> pd.DataFrame:
    """Return rows of a feed as columns of text, None where there is no value."""
    with duckdb.connect() as connection:
        return relation(connection, feed, rows).df()
