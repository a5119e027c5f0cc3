"""The six seeds of the network source, with bad rows among the good ones."""

import csv
from pathlib import Path

import pandas as pd

from ev_charging.bad_rows import DUPLICATE, SUPERSEDED, BadRow, bad_row, spread, with_bad_rows
from ev_charging.network_feed.network import network_part
from ev_charging.network_feed.seed_network import DAYS, FIRST_DAY, seed_sites
from ev_charging.network_feed.tables import FEEDS, text_frame

DAMAGE_FACTOR = 5.0
UNKNOWN_STATION = "unknown_station"
# Rows with one of these kinds are read, all others end in quarantine.
ODD_KINDS = (UNKNOWN_STATION,)

_TOO_LATE = "2024-10-28T24:30:00Z"
_STATUS = '{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"%s"}'
_START = '{"connectorId":1,"idTag":"0A1B2C3D","timestamp":"2024-10-12T09:00:00Z","meterStart":%s}'

BAD_ROWS: dict[str, tuple[BadRow, ...]] = {
    "network__stations": (
        bad_row("missing_key", station_id=""),
        bad_row("unknown_time_zone", station_id="quay-8", time_zone="Europe/Olso"),
        bad_row("unknown_protocol", station_id="quay-9", protocol="ocpp3"),
        bad_row(SUPERSEDED, station_name="Ferry quay"),
        bad_row("not_a_number", station_id="mall-8", heartbeat_seconds="15min"),
        bad_row("out_of_range", station_id="park-8", heartbeat_seconds="0"),
        bad_row(DUPLICATE),
    ),
    "network__ports": (
        bad_row("missing_key", evse_id=""),
        bad_row("not_a_number", evse_id="8", rated_power_kw="22kW"),
        bad_row(SUPERSEDED, connectors="Type2 cable"),
        bad_row("out_of_range", evse_id="0"),
        bad_row(DUPLICATE),
        bad_row("not_a_time", evse_id="8", commissioned_on="2023-02-30"),
        bad_row("end_before_start", evse_id="9", retired_on="2021-01-01"),
        bad_row("unknown_time_zone", evse_id="9", time_zone="Norway/Oslo"),
    ),
    "network__charging_sessions": (
        bad_row("missing_key", session_id=""),
        bad_row(UNKNOWN_STATION, session_id="x1", station_id="harbour-1"),
        bad_row("negative_energy", session_id="x2", energy_kwh="-3.200"),
        bad_row("missing_value", session_id="x3", started_at=""),
        bad_row(DUPLICATE),
        bad_row("not_a_boolean", session_id="x4", succeeded="maybe"),
        bad_row("not_a_time", session_id="x5", ended_at=_TOO_LATE),
        BadRow(
            "end_before_start",
            lambda row: {
                "session_id": "x6",
                "started_at": row["ended_at"],
                "ended_at": row["started_at"],
            },
        ),
        bad_row(SUPERSEDED, energy_kwh="0.500"),
        bad_row("not_a_number", session_id="x7", energy_kwh="12.5kWh"),
        bad_row("time_out_of_range", session_id="x8", started_at="1970-01-01T00:00:00Z"),
        bad_row("implausible_energy", session_id="x9", energy_kwh="9999.000"),
        bad_row("not_finite", session_id="x10", energy_kwh="NaN"),
        bad_row(DUPLICATE),
    ),
    "network__charger_messages": (
        bad_row("missing_key", charger_id=""),
        bad_row("not_json", message_id="x1", payload='{"idTag":"0A1B'),
        bad_row("not_a_time", message_id="x2", received_at=_TOO_LATE),
        bad_row("unknown_direction", message_id="x3", direction="sideways"),
        bad_row(
            "not_a_time",
            message_id="x4",
            direction="from_charger",
            action="StatusNotification",
            payload=_STATUS % _TOO_LATE,
        ),
        bad_row("missing_key", message_id=""),
        bad_row(
            "negative_energy",
            message_id="x5",
            direction="from_charger",
            action="StartTransaction",
            payload=_START % "-5",
        ),
        bad_row("time_out_of_range", message_id="x6", received_at="1970-01-01T00:00:00Z"),
        bad_row(
            "missing_value",
            message_id="x7",
            direction="from_charger",
            action="StatusNotification",
            payload='{"connectorId":1,"errorCode":"NoError"}',
        ),
        bad_row(
            "not_a_number",
            message_id="x8",
            direction="from_charger",
            action="StartTransaction",
            payload=_START % '"12.5kWh"',
        ),
        bad_row("missing_value", message_id="x9", received_at=""),
    ),
    "network__outage_exclusions": (
        bad_row("missing_key", station_id=""),
        bad_row("end_before_start", excluded_until="2024-09-30T00:00:00Z"),
        bad_row(SUPERSEDED, reason="other"),
        bad_row("out_of_range", evse_id="1.5"),
        bad_row(DUPLICATE),
        bad_row("not_a_time", excluded_from="at noon"),
    ),
    "network__injected_damage": (
        BadRow("unknown_kind", lambda _: {"kind": "gremlins"}),
        bad_row("missing_key", reference=""),
        bad_row(DUPLICATE),
    ),
}


def seed_file(feed: str) -> str:
    """Return the name of the seed of a feed."""
    return f"raw_{feed}.csv"


def seed_feeds(seed: int) -> dict[str, pd.DataFrame]:
    """Return the rows of each feed as text, in the order of the files."""
    part = network_part(seed_sites(), FIRST_DAY, DAYS, seed, DAMAGE_FACTOR)
    frames = {feed: text_frame(feed, part.rows[feed]).fillna("") for feed in FEEDS}
    messages = frames["network__charger_messages"]
    frames["network__charger_messages"] = messages.sort_values(
        ["received_at", "charger_id"], kind="stable", ignore_index=True
    )
    return {
        feed: with_bad_rows(frame, spread(BAD_ROWS[feed], len(frame)))
        for feed, frame in frames.items()
    }


def write_network_seeds(folder: Path, seed: int) -> dict[Path, int]:
    """Write the seeds into `folder`; return the number of rows of each file."""
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for feed, frame in seed_feeds(seed).items():
        path = folder / seed_file(feed)
        # Payloads need quotes, all other texts are written as they are.
        frame.to_csv(path, index=False, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
        written[path] = len(frame)
    return written
