"""The worked example of INL's calculator of customer-focused KPIs gives its figures.

A charger asks about a token, and in the same second begins a transaction that carries it: one
attempt that failed and one that went well. INL's files are used where the environment variable
EV_REAL_DATA names a folder with them (they are other people's and no part of the project); the same
story in messages of our own is always tried.
"""

import csv
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from dbt_runner import run_dbt

pytestmark = pytest.mark.builds

FOLDER = Path(os.environ.get("EV_REAL_DATA") or "nowhere") / "inl_kpi"
MESSAGES = FOLDER / "cleaned_format.csv"
LOG = FOLDER / "example_log.log"
needs_inl = pytest.mark.skipif(
    not (MESSAGES.is_file() and LOG.is_file()),
    reason="EV_REAL_DATA names no folder with the worked example of INL",
)

REQUEST, RESPONSE = 2, 3
SENT_BY_BACK_END = {"GetVariables", "RequestStartTransaction"}
COLUMNS = ["charger_id", "received_at", "direction", "message_id", "action", "payload"]
SECOND = "2024-01-15T12:00:00"

Frame = tuple[str, list]


def transaction_event(event: str, at: str, trigger: str, info: dict, **more: object) -> dict:
    """Payload of a TransactionEvent of the made-up transaction."""
    return {
        "eventType": event,
        "timestamp": f"{at}Z",
        "triggerReason": trigger,
        "seqNo": 0,
        "transactionInfo": {"transactionId": "made-up", **info},
        **more,
    }


def made_up_frames() -> list[Frame]:
    """The example in messages of our own."""
    token = {"idToken": {"idToken": "DRIVER", "type": "ISO14443"}}
    evse = {"evse": {"id": 1, "connectorId": 1}}
    later = "2024-01-15T12:10:00"
    accepted = {"idTokenInfo": {"status": "Accepted"}}
    requests = [
        (SECOND, "Authorize", token, accepted),
        (
            SECOND,
            "TransactionEvent",
            transaction_event("Started", SECOND, "Authorized", {}, **token),
            accepted,
        ),
        (
            SECOND,
            "StatusNotification",
            {
                "timestamp": f"{SECOND}Z",
                "connectorStatus": "Occupied",
                "evseId": 1,
                "connectorId": 1,
            },
            {},
        ),
        (
            SECOND,
            "TransactionEvent",
            transaction_event(
                "Updated", SECOND, "CablePluggedIn", {"chargingState": "EVConnected"}, **evse
            ),
            {},
        ),
        (
            SECOND,
            "TransactionEvent",
            transaction_event(
                "Updated", SECOND, "ChargingStateChanged", {"chargingState": "Charging"}
            ),
            {},
        ),
        (
            later,
            "TransactionEvent",
            transaction_event("Ended", later, "StopAuthorized", {"stoppedReason": "Local"}, **evse),
            accepted,
        ),
    ]
    frames = []
    for number, (at, action, request, response) in enumerate(requests):
        frames.append((at, [REQUEST, f"m{number}", action, request]))
        frames.append((at, [RESPONSE, f"m{number}", response]))
    return frames


def published_frames() -> list[Frame]:
    """INL's list of messages; times are whole seconds."""
    with MESSAGES.open(newline="") as file:
        return [(row["timestamp"], json.loads(row["message"])) for row in csv.DictReader(file)]


def logged_frames() -> list[Frame]:
    """The log that INL's list was made from; times have milliseconds."""
    line = re.compile(r"^\[(\S+):(\d{3})\] \[msg-(?:in|out)\] (\[.*\])$", re.MULTILINE)
    return [(f"{at}.{ms}", json.loads(frame)) for at, ms, frame in line.findall(LOG.read_text())]


def feed_rows(charger_id: str, frames: list[Frame]) -> list[list[str]]:
    """Rows of the feed of messages; a response takes the action of its request."""
    actions = {frame[1]: frame[2] for _, frame in frames if frame[0] == REQUEST}
    rows = []
    for at, frame in frames:
        action = actions[frame[1]]
        is_from_charger = (frame[0] == REQUEST) != (action in SENT_BY_BACK_END)
        direction = "from_charger" if is_from_charger else "to_charger"
        rows.append([charger_id, f"{at}Z", direction, frame[1], action, json.dumps(frame[-1])])
    return rows


def in_milliseconds(frames: list[Frame]) -> list[Frame]:
    """The same messages, each a millisecond after the one before it."""
    return [(f"{at}.{number:03}", frame) for number, (at, frame) in enumerate(frames)]


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse in which each variant of the example is a charger of its own."""
    folder = tmp_path_factory.mktemp("inl")
    frames = made_up_frames()
    rows = feed_rows("made up", frames)
    rows += feed_rows("made up in milliseconds", in_milliseconds(frames))
    rows += reversed(feed_rows("made up backwards", frames))
    if MESSAGES.is_file() and LOG.is_file():
        rows += feed_rows("published", published_frames())
        rows += feed_rows("logged", logged_frames())
    feed = folder / "messages.csv"
    with feed.open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    result = run_dbt(
        [
            *("build", "--select", "+charge_success_kpis", "+fct_visits"),
            *("--exclude-resource-type", "unit_test", "--indirect-selection", "cautious"),
        ],
        folder / "warehouse.duckdb",
        vars={"feeds": {"network__charger_messages": str(feed)}},
    )
    assert result.returncode == 0, result.stdout
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        yield connection


VARIANTS = [
    "made up",
    "made up in milliseconds",
    "made up backwards",
    pytest.param("published", marks=needs_inl),
    pytest.param("logged", marks=needs_inl),
]


@pytest.mark.parametrize("charger", VARIANTS)
def test_every_message_is_accepted(examples, charger):
    statuses = examples.execute(
        """
        select distinct row_status
        from staging.base_network__charger_messages
        where charger_id = ?
        """,
        [charger],
    ).fetchall()
    assert statuses == [("accepted",)]


@pytest.mark.parametrize("charger", VARIANTS)
def test_the_figures_are_those_of_the_example(examples, charger):
    figures = examples.execute(
        """
        select
            attempt_mode, attempts, charge_start_success, charge_end_success, session_success,
            charge_start_seconds_p10, charge_start_seconds_p75
        from reliability.charge_success_kpis
        where scope = 'station' and station_id = ? and month_start_date is null
        order by attempt_mode
        """,
        [charger],
    ).fetchall()
    assert figures == [
        ("authorize_first", 1, 0, None, 0, None, None),
        ("cached_authorization", 1, 1, 1, 1, 0, 0),
        ("pooled", 2, 0.5, 1, 0.5, 0, 0),
    ]


@pytest.mark.parametrize("charger", VARIANTS)
def test_both_attempts_are_one_visit_that_went_well_in_the_end(examples, charger):
    attempts = examples.execute(
        """
        select attempt_number, attempt_mode, attempts.outcome, visit_result, visits.attempts
        from reliability.fct_charge_attempts as attempts
        inner join reliability.fct_visits as visits using (visit_key)
        where charger_id = ?
        order by attempt_number
        """,
        [charger],
    ).fetchall()
    assert attempts == [
        (1, "authorize_first", "failed", "after_retries", 2),
        (2, "cached_authorization", "succeeded", "after_retries", 2),
    ]
