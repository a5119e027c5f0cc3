"""Own files of a charging network: broken ones, typed ones, the same thing delivered twice."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from dbt_runner import PROJECT_ROOT, run_dbt
from test_feeds import reconciliation

pytestmark = pytest.mark.builds

STATIONS, PORTS, SESSIONS, MESSAGES, EXCLUSIONS, DAMAGE = FEEDS = [
    f"network__{entity}"
    for entity in (
        *("stations", "ports", "charging_sessions", "charger_messages"),
        *("outage_exclusions", "injected_damage"),
    )
]
STATIONS_HEADER = "station_id,site_id,station_name,time_zone,protocol,heartbeat_seconds"
MESSAGES_HEADER = "charger_id,received_at,direction,message_id,action,payload"
MODELS = ["staging.network", "+rejected_rows", "+feed_reconciliation", "+data_profile"]


def line(*fields: str) -> str:
    """A line of a CSV file, quoted where it must be."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    return text.getvalue()


def message(
    message_id: str,
    payload: str = "{}",
    action: str = "Heartbeat",
    received: str = "2024-10-21T10:00:00Z",
    charger: str = "c1",
    direction: str = "from_charger",
) -> str:
    return line(charger, received, direction, message_id, action, payload)


def status(stamp: str, value: str = "Available") -> str:
    return json.dumps({"connectorId": 1, "status": value, "timestamp": stamp})


# --- the deliveries -------------------------------------------------------------------------------

TOKEN = 'a"b\\c,d'
AUTHORIZE = json.dumps({"idTag": TOKEN})
READINGS = json.dumps(
    {
        "connectorId": 1,
        "transactionId": 7,
        "meterValue": [
            {
                "timestamp": "2024-10-21T10:00:00Z",
                "sampledValue": [
                    {"value": "12,5", "unit": "kWh"},
                    {"value": 7200, "measurand": "Power.Active.Import"},
                ],
            }
        ],
    }
)
START = '{"connectorId":1,"idTag":"t","meterStart":%s,"timestamp":"2024-10-21T10:00:00Z"}'
BROKEN_LINES = [
    (message("quoted", AUTHORIZE, "Authorize").encode(), None),
    (b"c1,2024-10-21T10:00:00Z,from_charger,short,Heartbeat", "too_few_fields"),
    (message("long").encode() + b",surplus", "too_many_fields"),
    (b'c1,2024-10-21T10:00:00Z,from_charger,bare,Authorize,{"idTag":"a"}', "broken_quote"),
    (b'c1,2024-10-21T10:00:00Z,from_charger,open,Authorize,"{""idTag"":""a""}', "broken_quote"),
    (b"c1,2024-10-21T10:00:00Z,from_charger,many,Authorize,{a:1,b:2}", "too_many_fields"),
    (message("latin", "M\u00fcller").encode("latin-1"), "invalid_encoding"),
    (message("nul", '{"a":"\0"}').encode(), "nul_character"),
    (b"", "blank"),
    (message("huge", json.dumps({"a": "x" * 3_000_000})).encode(), "line_too_long"),
    (message("readings", READINGS, "MeterValues").encode(), None),
    (message("", "{}").encode(), "missing_key"),
    (message("array", "[2]").encode(), "not_json"),
    (message("cut", '{"idTag":"a').encode(), "not_json"),
    (
        message("sql", "'; drop table core.dim_user; --").encode(),
        "not_json",
    ),
    (message("2", received="2024-10-21T24:00:00Z").encode(), "not_a_time"),
    (message("3", received="1970-01-01T00:00:00Z").encode(), "time_out_of_range"),
    (message("4", direction="sideways").encode(), "unknown_direction"),
    (
        message("5", START.replace("2024", "9999") % 0, "StartTransaction").encode(),
        "time_out_of_range",
    ),
    (message("6", status("2024-02-31T00:00:00Z"), "StatusNotification").encode(), "not_a_time"),
    (message("7", "{}", "StatusNotification").encode(), "missing_value"),
    (message("8", START % '"NaN"', "StartTransaction").encode(), "not_finite"),
    (message("9", START % "1e308", "StartTransaction").encode(), "out_of_range"),
    (message("10", START % '"1_000"', "StartTransaction").encode(), "not_a_number"),
    (message("11", START % "-1", "StartTransaction").encode(), "negative_energy"),
    (message("=1+1", '{"a":"M\u00fcller"}', "../../etc/passwd").encode(), None),
]
# (received_at, message id, action, payload): the first receipt of a message with a stamp counts,
# a message without a stamp is another one when it is received at another time.
STAMPED, OTHER = status("2024-10-21T09:59:58Z"), status("2024-10-21T09:59:58Z", "Faulted")
REPEATED = [
    ("2024-10-21T10:20:00Z", "20", "StatusNotification", STAMPED),
    ("2024-10-21T10:00:00Z", "20", "StatusNotification", STAMPED),
    ("2024-10-21T10:10:00Z", "20", "StatusNotification", STAMPED),
    ("2024-10-21T10:30:00Z", "20", "StatusNotification", OTHER),
    ("2024-10-21T10:00:00Z", "21", "Heartbeat", "{}"),
    ("2024-10-21T10:00:00Z", "21", "Heartbeat", ""),
    ("2024-10-21T10:15:00Z", "21", "Heartbeat", "{}"),
    ("2024-10-21T10:00:00Z", "22", "MeterValues", READINGS),
    ("2024-10-21T10:00:05Z", "22", "MeterValues", READINGS),
]
REPEATED_STAY = {REPEATED[place] for place in (1, 3, 4, 6, 7)}

STATION_ROWS = [
    ("c1,s1,First,Europe/Oslo,OCPP1.6,900", None),
    ("c2,s1,,America/New_York,ocpp2.0.1,", None),
    ("c3,,,,,", None),
    (",s1,,,,", "missing_key"),
    ("c4,s1,,Europe/Atlantis,,", "unknown_time_zone"),
    ("c5,s1,,,ocpp1.5,", "unknown_protocol"),
    ("c6,s1,,,,15min", "not_a_number"),
    ("c7,s1,,,,0", "out_of_range"),
]


def write_messages(folder: Path) -> None:
    folder.mkdir()
    # every second line ends with CR LF, the file begins with a byte order mark
    lines = [MESSAGES_HEADER.encode(), *(row for row, _ in BROKEN_LINES)]
    (folder / "1_broken.csv").write_bytes(
        b"\xef\xbb\xbf"
        + b"".join(row + (b"\r\n" if number % 2 else b"\n") for number, row in enumerate(lines))
    )
    reordered = "\n".join(
        ["payload,note,action,message_id,direction,received_at,charger_id"]
        + [
            line(payload, "fine", action, number, "from_charger", received, "c1")
            for received, number, action, payload in REPEATED
        ]
    )
    (folder / "2_reordered.csv").write_text(reordered)
    (folder / "3_again.csv").write_text(reordered)
    (folder / "4_header_only.csv").write_text(MESSAGES_HEADER + "\n")
    with duckdb.connect() as connection:
        connection.execute(
            f"""copy (
                select
                    json '{{"status": "Accepted"}}' as payload,
                    31::bigint as message_id,
                    'to_charger' as direction,
                    'BootNotification' as action,
                    timestamptz '2024-10-21 12:00:00.25+02:00' as received_at,
                    7::double as charger_id
                union all
                -- earlier than in the CSV files
                select '{STAMPED}'::json, 20, 'from_charger', 'StatusNotification',
                    timestamptz '2024-10-21 09:59:59+00', null
            ) to '{folder}/5_typed.parquet'"""
        )


def write_typed(folder: Path) -> None:
    """Everything but messages and stations as Parquet, as a data frame would be written."""
    tables = {
        PORTS: """
            select
                2.0::double as evse_id, 'c1' as station_id, 22::double as rated_power_kw,
                date '2023-05-02' as commissioned_on, timestamp_ns '2024-06-01' as retired_on,
                'Type2' as connectors, null::varchar as time_zone
            union all
            select 1.5, 'c1', 22, date '2023-05-02', null, '', null
            union all
            select 1, 'c1', 150.5, date '2023-05-02', timestamp_ns '2023-05-01', '', null
        """,
        SESSIONS: """
            select
                8::double as session_id, 'c3' as station_id,
                timestamptz '2024-10-21 12:00:00+02:00' as started_at,
                timestamp '2024-10-21 11:00:00.5' as ended_at,
                12.25::double as energy_kwh, true as succeeded
            union all
            select 9, 'c3', timestamptz '2024-10-21 10:00:00+00', null, 'NaN'::double, null
            union all
            select 10, 'c3', timestamptz '2024-10-21 10:00:00+00', null, null, null
        """,
        EXCLUSIONS: """
            select
                'c1' as station_id, null::double as evse_id, 'maintenance' as reason,
                timestamp '2024-10-21' as excluded_from,
                timestamp_ns '2024-10-21 06:00:00' as excluded_until
            union all
            select 'c1', 1, null, timestamp '2024-10-21', timestamp_ns '2024-10-21 06:00:00'
            union all
            select 'c1', 1, null, timestamp '2024-10-21', timestamp_ns '2024-10-21 00:00:00'
        """,
    }
    with duckdb.connect() as connection:
        for feed, query in tables.items():
            connection.execute(f"copy ({query}) to '{folder}/{feed}.parquet'")


def build(folder: Path, feeds: dict[str, str], models: list[str]) -> duckdb.DuckDBPyConnection:
    warehouse = folder / "warehouse.duckdb"
    arguments = ["build", "--exclude-resource-type", "unit_test", "--select", *models]
    arguments += ["--indirect-selection", "buildable"]
    result = run_dbt(arguments, warehouse, vars={"feeds": feeds})
    assert result.returncode == 0, result.stdout
    return duckdb.connect(str(warehouse), read_only=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("network")


@pytest.fixture(scope="module")
def own(folder: Path) -> duckdb.DuckDBPyConnection:
    """A warehouse of all six feeds."""
    write_messages(folder / "messages")
    write_typed(folder)
    rows = [STATIONS_HEADER, *(row for row, _ in STATION_ROWS)]
    (folder / "stations_1.csv").write_text("\n".join(rows))
    # a newer delivery renames the first station and says the same of the second
    (folder / "stations_2.csv").write_text(
        f"{STATIONS_HEADER}\nc1,s1,Renamed,Europe/Oslo,ocpp1.6,900\n{STATION_ROWS[1][0]}\n"
    )
    damage = ["late_message,c1,20", "late_message,c1,20", "fire,c1,20", "clock_off,c1,"]
    (folder / "damage.csv").write_text("\n".join(["kind,charger_id,reference", *damage]))
    feeds = {feed: str(folder / f"{feed}.parquet") for feed in (PORTS, SESSIONS, EXCLUSIONS)}
    feeds |= {STATIONS: str(folder / "stations_*.csv"), DAMAGE: str(folder / "damage.csv")}
    feeds[MESSAGES] = str(folder / "messages" / "*")
    return build(folder, feeds, MODELS)


def rejected(connection: duckdb.DuckDBPyConnection, feed: str, file: str) -> list[tuple]:
    return connection.execute(
        "select row_number, rejection_reason from quality.rejected_rows "
        "where feed = ? and parse_filename(file_name) = ? order by row_number",
        [feed, file],
    ).fetchall()


# --- what is read, set aside and counted once -----------------------------------------------------


def test_a_broken_message_is_rejected_and_its_neighbours_are_kept(own):
    # a blank line is no row
    reasons = [reason for _, reason in BROKEN_LINES if reason != "blank"]
    expected = [(number, reason) for number, reason in enumerate(reasons, start=1) if reason]
    assert rejected(own, MESSAGES, "1_broken.csv") == expected


def test_a_quoted_payload_keeps_its_quotes_and_commas(own):
    token = own.execute(
        "select id_token from staging.stg_network__charger_messages where message_id = 'quoted'"
    ).fetchone()
    assert token == (TOKEN.upper(),)


def test_readings_keep_their_texts_whatever_they_are(own):
    readings, stamp = own.execute(
        "select meter_values, stamped_at::varchar from staging.stg_network__charger_messages "
        "where message_id = 'readings'"
    ).fetchone()
    assert stamp == "2024-10-21 10:00:00"
    (reading,) = readings
    assert reading["timestamp"] == "2024-10-21T10:00:00Z"
    energy, power = reading["sampledValue"]
    assert (energy["value"], energy["unit"], energy["measurand"]) == ("12,5", "kWh", None)
    assert (power["value"], power["measurand"]) == ("7200", "Power.Active.Import")


def test_the_first_receipt_of_a_message_counts_wherever_it_stands(own):
    rows = own.execute(
        "select received_at, message_id, action, coalesce(status, '') "
        "from staging.stg_network__charger_messages "
        "where charger_id = 'c1' and message_id in ('20', '21', '22')"
    ).fetchall()
    assert {(f"{at.isoformat()}Z", number, action) for at, number, action, _ in rows} == {
        row[:3] for row in REPEATED_STAY
    }
    assert {state for _, number, _, state in rows if number == "20"} == {"Available", "Faulted"}
    assert len(rows) == len(REPEATED_STAY)


def test_every_row_of_the_network_ends_in_exactly_one_place(own):
    bad = sum(reason not in (None, "blank") for _, reason in BROKEN_LINES)
    good = sum(reason is None for _, reason in BROKEN_LINES)
    copies = 2 * len(REPEATED) - len(REPEATED_STAY)
    expected = {
        # accepted, duplicate, superseded, rejected; one typed message has no charger
        MESSAGES: (good + len(REPEATED_STAY) + 1, copies, 0, bad + 1),
        STATIONS: (3, 1, 1, 5),
        PORTS: (1, 0, 0, 2),
        SESSIONS: (2, 0, 0, 1),
        EXCLUSIONS: (2, 0, 0, 1),
        DAMAGE: (1, 1, 0, 2),
    }
    for feed, counts in expected.items():
        row = reconciliation(own, feed)
        places = ("accepted_rows", "duplicate_rows", "superseded_rows", "rejected_rows")
        assert (feed, *(row[place] for place in places)) == (feed, *counts)
        assert (row["rows_read"], row["unaccounted_rows"]) == (sum(counts), 0)
    assert reconciliation(own, MESSAGES)["extra_columns"] == "note"


def test_a_bad_station_is_rejected_and_the_newest_delivery_counts(own):
    expected = [(n, reason) for n, (_, reason) in enumerate(STATION_ROWS, start=1) if reason]
    assert rejected(own, STATIONS, "stations_1.csv") == expected
    rows = own.execute("select * from staging.stg_network__stations order by station_id").fetchall()
    assert rows == [
        ("c1", "s1", "Renamed", "Europe/Oslo", "ocpp1.6", 900),
        ("c2", "s1", None, "America/New_York", "ocpp2.0.1", None),
        ("c3", None, None, None, None, None),
    ]


@pytest.mark.parametrize(
    ("feed", "reasons"),
    [
        (PORTS, [(2, "out_of_range"), (3, "end_before_start")]),
        (SESSIONS, [(2, "not_finite")]),
        (EXCLUSIONS, [(3, "end_before_start")]),
    ],
)
def test_typed_values_are_judged_as_text_is(own, feed, reasons):
    assert rejected(own, feed, f"{feed}.parquet") == reasons


def test_injected_damage_is_read_once_and_of_known_kinds(own):
    assert rejected(own, DAMAGE, "damage.csv") == [(3, "unknown_kind"), (4, "missing_key")]
    rows = own.execute("select * from staging.stg_network__injected_damage").fetchall()
    assert rows == [("late_message", "c1", "20")]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "select charger_id, received_at::varchar, is_from_charger, message_id, status "
            "from staging.stg_network__charger_messages where charger_id = '7'",
            ("7", "2024-10-21 10:00:00.25", False, "31", "Accepted"),
        ),
        (
            "select evse_id, rated_power_kw::double, commissioned_on::varchar, retired_on::varchar "
            "from staging.stg_network__ports",
            (2, 22, "2023-05-02", "2024-06-01"),
        ),
        (
            "select session_id, started_at::varchar, ended_at::varchar, energy_kwh::double, "
            "has_succeeded from staging.stg_network__charging_sessions where session_id = '8'",
            ("8", "2024-10-21 10:00:00", "2024-10-21 11:00:00.5", 12.25, True),
        ),
        (
            "select excluded_from::varchar, excluded_until::varchar, reason "
            "from staging.stg_network__outage_exclusions where evse_id is null",
            ("2024-10-21 00:00:00", "2024-10-21 06:00:00", "maintenance"),
        ),
    ],
)
def test_times_and_numbers_of_a_network_in_parquet_arrive_as_they_are(own, query, expected):
    assert own.execute(query).fetchall() == [expected]


def test_the_profile_reads_instants_and_days(own):
    profile = own.execute(
        "select feed, column_name, kind, min_value, parsed_share from quality.data_profile "
        "where kind in ('instant', 'date') and feed like 'network%' and feed <> ? "
        "and column_name not like '%until' "
        "order by all",
        [MESSAGES],
    ).fetchall()
    assert profile == [
        (SESSIONS, "ended_at", "instant", "2024-10-21 11:00:00.5", 1),
        (SESSIONS, "started_at", "instant", "2024-10-21 10:00:00", 1),
        (EXCLUSIONS, "excluded_from", "instant", "2024-10-21 00:00:00", 1),
        (PORTS, "commissioned_on", "date", "2023-05-02", 1),
        (PORTS, "retired_on", "date", "2023-05-01", 1),
    ]


# --- what nothing depends on ----------------------------------------------------------------------


def compiled(folder: Path, feed: str) -> str:
    models = folder / "target" / "compiled" / "ev_charging" / "models"
    return (models / "staging" / "network" / f"base_{feed}.sql").read_text()


@pytest.mark.parametrize("feed", FEEDS)
def test_nothing_is_joined_or_sorted_while_a_feed_of_the_network_is_read(own, folder, feed):
    plan = own.execute(f"explain {compiled(folder, feed)}").fetchall()[0][1]
    assert "READ_CSV" in plan or "READ_PARQUET" in plan
    assert "JOIN" not in plan
    assert "ORDER_BY" not in plan


def test_times_without_an_offset_are_utc_whatever_the_time_zone_of_the_session(folder, own):
    query = "select session_id, started_at, ended_at from ({})"
    expected = own.execute(
        query.format("select * from staging.base_network__charging_sessions")
    ).fetchall()
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'America/New_York'")
        assert connection.execute(query.format(compiled(folder, SESSIONS))).fetchall() == expected


def test_messages_in_another_order_and_other_files_are_the_same_messages(own, folder, tmp_path):
    # As one Parquet file, shuffled by a hash, with what only a CSV file can contain left out.
    rows = [message_row for message_row, reason in BROKEN_LINES if reason is None]
    fields = [next(csv.reader([row.decode()])) for row in rows]
    fields += [["c1", at, "from_charger", *rest] for at, *rest in (*REPEATED, *REPEATED)]
    names = ", ".join(MESSAGES_HEADER.split(","))
    with duckdb.connect() as connection:
        connection.execute(f"create table messages ({names.replace(',', ' text,')} text)")
        connection.executemany("insert into messages values (?, ?, ?, ?, ?, ?)", fields)
        connection.execute(
            f"copy (select * from messages order by hash({names}, rowid)) "
            f"to '{tmp_path}/messages.parquet'"
        )
    models = ["base_network__charger_messages", "stg_network__charger_messages"]
    shuffled = build(tmp_path, {MESSAGES: str(tmp_path / "messages.parquet")}, models)
    query = (
        "select * from staging.stg_network__charger_messages where charger_id = 'c1' order by all"
    )
    assert shuffled.execute(query).fetchall() == own.execute(query).fetchall()


# --- refusals -------------------------------------------------------------------------------------

# One process parses the project once and then checks one delivery after the other.
CHECK_FEEDS = """
import json, sys
from dbt.cli.main import dbtRunner

manifest = dbtRunner().invoke(["parse", "--quiet"]).result
answers = []
for feeds in json.load(sys.stdin):
    said = []
    runner = dbtRunner(manifest=manifest, callbacks=[lambda event: said.append(event.info.msg)])
    arguments = ["run-operation", "check_feeds", "--quiet", "--vars", json.dumps({"feeds": feeds})]
    answers.append({"is_refused": not runner.invoke(arguments).success, "said": said})
with open(sys.argv[1], "w") as file:
    json.dump(answers, file)
"""
BROKEN_HEADERS = {
    "empty": lambda header: ("", "empty_file"),
    "missing": lambda header: (",".join(header[:-1]), f"has no column {header[-1]}"),
    "renamed": lambda header: (",".join(["x", *header[1:]]), f"has no column {header[0]}"),
    "twice": lambda header: (",".join([*header, header[0]]), f"has the column {header[0]} twice"),
    "whole": lambda header: (",".join(header), None),
}


def test_a_refused_feed_of_the_network_names_file_and_column(own, tmp_path):
    cases = []
    for feed in FEEDS:
        header = own.execute(
            "select list(column_name order by column_number) from quality.data_profile "
            "where feed = ?",
            [feed],
        ).fetchone()[0]
        for kind, broken in BROKEN_HEADERS.items():
            text, reason = broken(header)
            file = tmp_path / f"{feed}_{kind}.csv"
            file.write_text(text and f"{text}\n")
            cases.append((feed, str(file), reason))
    subprocess.run(
        [sys.executable, "-c", CHECK_FEEDS, tmp_path / "answers.json"],
        input=json.dumps([{feed: file} for feed, file, _ in cases]),
        cwd=PROJECT_ROOT,
        env={
            **os.environ,
            "EV_WAREHOUSE": str(tmp_path / "warehouse.duckdb"),
            "DBT_TARGET_PATH": str(tmp_path / "target"),
            "DBT_LOG_PATH": str(tmp_path / "logs"),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    answers = json.loads((tmp_path / "answers.json").read_text())
    for (feed, file, reason), answer in zip(cases, answers, strict=True):
        said = "\n".join(answer["said"])
        assert answer["is_refused"] == (reason is not None), said
        if reason is not None:
            assert f"feed {feed} refused" in said
            assert file in said
            assert reason in said
