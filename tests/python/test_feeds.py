"""Own files as feeds: what is read, what is set aside with which reason, what is refused."""

import csv
import json
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pytest

from dbt_runner import build_from_feeds, run_dbt

pytestmark = pytest.mark.builds

SUBJECTS = ("load", "kpi")
LOADS = "residential__hourly_loads"
REPORTS = "residential__charging_reports"
LOADS_HEADER = (
    "date_from;date_to;User_ID;session_ID;Synthetic_3_6kW;Synthetic_7_2kW;Flex_3_6kW;Flex_7_2kW"
)
REPORTS_HEADER = (
    "session_ID;Garage_ID;User_ID;User_type;Shared_ID;Start_plugin;Start_plugin_hour;End_plugout;"
    "End_plugout_hour;El_kWh;Duration_hours;month_plugin;weekdays_plugin;Plugin_category;"
    "Duration_category"
)


def load_row(hour: int, session: str = "1", energy: str = "1,5", user: str = "A-1") -> str:
    """A row of hourly loads on 2 January 2024."""
    start, end = f"02.01.2024 {hour:02}:00", f"02.01.2024 {hour + 1:02}:00"
    return f"{start};{end};{user};{session};{energy};{energy};NA;NA"


def report_row(
    session: str, start: str, end: str, energy: str, hours: str, user: str = "A-1"
) -> str:
    """A charging report of a private charge point in garage A."""
    return f"{session};A;{user};Private;NA;{start};0;{end};0;{energy};{hours};Jan;Monday;x;y"


def build(
    folder: Path,
    feeds: dict[str, str],
    env: dict[str, str] | None = None,
    subjects: Iterable[str] = SUBJECTS,
) -> duckdb.DuckDBPyConnection:
    """Build core, marts and what became of each row from the feeds and open the warehouse."""
    select = ["+feed_reconciliation", "+rejected_rows", "+data_profile"]
    select += [f"+path:models/marts/{name}" for name in ("core", *subjects)]
    return build_from_feeds(folder, feeds, select, env)


def reconciliation(connection: duckdb.DuckDBPyConnection, feed: str) -> dict:
    """The row of quality.feed_reconciliation of a feed."""
    cursor = connection.execute("select * from quality.feed_reconciliation where feed = ?", [feed])
    names = [column[0] for column in cursor.description]
    return dict(zip(names, cursor.fetchone(), strict=True))


# --- lines that are broken, files that are delivered in parts -------------------------------------

LONG_LINE = b"02.01.2024 20:00;02.01.2024 21:00;" + b"x" * 3_000_000 + b";1;1,5;1,5;NA;NA"
BROKEN_LINES = [
    (load_row(0).encode(), None),
    (b"02.01.2024 01:00;02.01.2024 02:00;A-1;1;1,5", "too_few_fields"),
    (load_row(2).encode() + b";surplus", "too_many_fields"),
    (load_row(3, user='A "1').encode(), "broken_quote"),
    (load_row(4, user="M\u00fcller").encode("latin-1"), "invalid_encoding"),
    (load_row(5, user="A\0-1").encode(), "nul_character"),
    (b"", "blank"),
    (LONG_LINE, "line_too_long"),
    (load_row(7, user='"A;-1"').encode(), None),
    (load_row(8, user='"say ""hi"""').encode(), None),
    (load_row(9, user='"never closed').encode(), "broken_quote"),
    (load_row(10, energy="x").encode(), "not_a_number"),
    (load_row(11, user="M\u00fcller").encode(), None),
    (load_row(12, user="NA").encode(), None),
]


AUTUMN = "27.10.2024 02:00;27.10.2024 03:00;A-1"
AUTUMN_FIRST = "27.10.2024 02:00;27.10.2024 02:00;A-1"
AUTUMN_ROWS = [
    f"{AUTUMN};3;1,5;1,5;NA;NA",
    f"{AUTUMN};3;1,5;1,5;NA;NA",
    "27.10.2024 02:00+01:00;27.10.2024 03:00+01:00;A-1;4;2;2;NA;NA",
    "27.10.2024 02:00+02:00;27.10.2024 02:00+01:00;A-1;4;1;1;NA;NA",
    f"{AUTUMN};5;2,5;2,5;NA;NA",
    f"{AUTUMN_FIRST};6;2,5;2,5;NA;NA",
]


@pytest.fixture(scope="module")
def messy(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """A warehouse from nine deliveries of loads, each with its own kind of trouble."""
    folder = tmp_path_factory.mktemp("messy")
    (folder / "loads").mkdir()
    reordered = LOADS_HEADER.split(";")[::-1]
    deliveries = {
        # every second line ends with CR LF, the file begins with a byte order mark
        "1_broken.csv": b"\xef\xbb\xbf"
        + b"".join(
            line + (b"\r\n" if number % 2 else b"\n")
            for number, line in enumerate(
                [LOADS_HEADER.encode(), *(row[0] for row in BROKEN_LINES)]
            )
        ),
        "2_reordered.csv": "\n".join(
            [";".join([*reordered, "note"])]
            + [";".join([*load_row(hour, "2").split(";")[::-1], "fine"]) for hour in range(3)]
        ).encode(),
        "3_again.csv": f"{LOADS_HEADER}\n{load_row(0, '2')}\n{load_row(1, '2')}\n".encode(),
        "4_newer.csv": f"{LOADS_HEADER}\n{load_row(2, '2', '3,25')}\n{load_row(3, '2')}\n".encode(),
        "5_header_only.csv": f"{LOADS_HEADER}\n".encode(),
        # session 3 has the same energy in both hours, session 4 is delivered with offsets later
        "6_autumn.csv": "\n".join([LOADS_HEADER, *AUTUMN_ROWS]).encode(),
        "7_autumn_again.csv": "\n".join([LOADS_HEADER, *AUTUMN_ROWS[:2]]).encode(),
        # the second hour of session 5 comes after its first, and is corrected once more
        "8_autumn_late.csv": "\n".join(
            [LOADS_HEADER, f"{AUTUMN_FIRST};5;1;1;NA;NA", f"{AUTUMN_FIRST};5;1;1;NA;NA"]
        ).encode(),
        "9_autumn_newer.csv": f"{LOADS_HEADER}\n{AUTUMN};5;3;3;NA;NA\n".encode(),
    }
    for name, content in deliveries.items():
        (folder / "loads" / name).write_bytes(content)
    return build(folder, {LOADS: str(folder / "loads" / "*.csv")})


def test_a_broken_line_is_rejected_and_its_neighbours_are_kept(messy):
    rejected = messy.execute(
        "select row_number, rejection_reason from quality.rejected_rows order by row_number"
    ).fetchall()
    # a blank line is no row
    reasons = [reason for _, reason in BROKEN_LINES if reason != "blank"]
    assert rejected == [(n, reason) for n, reason in enumerate(reasons, start=1) if reason]


def test_a_rejected_row_names_its_file_column_and_text(messy):
    row = messy.execute(
        "select feed, file_name, rejected_column, raw_text from quality.rejected_rows "
        "where rejection_reason = 'not_a_number'"
    ).fetchone()
    assert row[0] == LOADS
    assert row[1].endswith("1_broken.csv")
    assert row[2:] == ("Synthetic_3_6kW", load_row(10, energy="x"))


def test_quoted_fields_and_other_alphabets_are_read(messy):
    users = messy.execute("select user_id from core.dim_user order by user_id").fetchall()
    assert [user for (user,) in users] == ["A-1", "A;-1", "M\u00fcller", 'say "hi"', "unknown"]


def test_loads_without_a_user_count_and_their_user_does_not(messy):
    known = {("A-1",), ("A;-1",), ("M\u00fcller",), ('say "hi"',)}
    assert set(messy.execute("select * from kpi.users()").fetchall()) == known
    users, kwh = messy.execute(
        "select users, total_energy_kwh from load.load_kpis where load_profile = 'synthetic_7_2'"
    ).fetchone()
    assert users == len(known)
    assert (
        kwh
        == messy.execute("select sum(synthetic_7_2_kwh) from core.fct_hourly_loads").fetchone()[0]
    )


def test_what_is_delivered_twice_counts_once_and_the_newest_value_wins(messy):
    hours = messy.execute(
        "select hour(load_started_local_at), synthetic_7_2_kwh from core.fct_hourly_loads "
        "where session_id = '2' order by 1"
    ).fetchall()
    assert [(hour, float(kwh)) for hour, kwh in hours] == [(0, 1.5), (1, 1.5), (2, 3.25), (3, 1.5)]


def test_the_repeated_autumn_hour_is_two_hours_and_not_a_duplicate(messy):
    hours = messy.execute(
        "select session_id, hour(load_started_at), synthetic_7_2_kwh::double, is_ambiguous_time "
        "from core.fct_hourly_loads where session_id in ('3', '4', '5', '6') order by all"
    ).fetchall()
    assert hours == [
        # the order in the file decides
        ("3", 0, 1.5, False),
        ("3", 1, 1.5, False),
        # the offset decides
        ("4", 0, 1.0, False),
        ("4", 1, 2.0, False),
        # an hour from two to three can only be the second, one from two to two the first
        ("5", 0, 1.0, False),
        ("5", 1, 3.0, False),
        ("6", 0, 2.5, False),
    ]


def test_every_row_ends_in_exactly_one_place(messy):
    row = reconciliation(messy, LOADS)
    assert row["files"] == 9
    assert row["rows_read"] == len(BROKEN_LINES) - 1 + 3 + 2 + 2 + 6 + 2 + 2 + 1
    assert row["duplicate_rows"] == 5
    assert row["superseded_rows"] == 2
    assert row["rejected_rows"] == sum(reason not in (None, "blank") for _, reason in BROKEN_LINES)
    assert row["unaccounted_rows"] == 0


def test_columns_beyond_the_contract_are_reported(messy):
    assert reconciliation(messy, LOADS)["extra_columns"] == "note"


def test_a_feed_that_is_not_named_is_empty(messy):
    assert reconciliation(messy, REPORTS)["rows_read"] == 0
    assert messy.execute("select count(*) from raw.raw_residential__hourly_loads").fetchone() == (
        0,
    )
    assert messy.execute("select count(*) from core.fct_charging_sessions").fetchone() == (0,)


# --- order ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", ["1", "4"])
def test_the_last_row_of_large_files_wins(tmp_path, threads):
    # Large enough that DuckDB reads it in parts on several threads; every hour is corrected behind.
    hours = [
        f"{day:02}.{month:02}.2024 {hour:02}:00;{day:02}.{month:02}.2024 {hour + 1:02}:00"
        for month in range(5, 9)
        for day in range(1, 29)
        for hour in range(23)
    ]
    users = range(100)
    (tmp_path / "loads").mkdir()
    for name, energy, known in (("a.csv", "1", users), ("b[1].csv", "2", users[:20])):
        with (tmp_path / "loads" / name).open("w") as file:
            file.write(LOADS_HEADER + "\n")
            for user in known:
                file.writelines(
                    f"{hour};u{user};{user};{energy};{energy};NA;NA\n" for hour in hours
                )
            # the last row of the file takes back its first
            file.write(f"{hours[0]};u{known[0]};{known[0]};3;3;NA;NA\n")
    connection = build(
        tmp_path, {LOADS: str(tmp_path / "loads" / "*.csv")}, env={"EV_THREADS": threads}
    )
    found = connection.execute(
        "select synthetic_7_2_kwh::integer, count(*) from core.fct_hourly_loads "
        "group by all order by 1"
    ).fetchall()
    assert found == [(1, 80 * len(hours)), (2, 20 * len(hours) - 1), (3, 1)]
    row = reconciliation(connection, LOADS)
    # the first row of each file is superseded by its last, all corrected ones of a.csv by b[1].csv
    assert (row["files"], row["unaccounted_rows"]) == (2, 0)
    assert row["superseded_rows"] + row["duplicate_rows"] == 20 * len(hours) + 2


@pytest.mark.parametrize(("feed", "fixture"), [(LOADS, "messy"), (REPORTS, "valued")])
def test_nothing_is_joined_or_sorted_while_a_feed_is_read(request, feed, fixture):
    # A join or a sort would lose the order of the rows, which says what is newer.
    warehouse = request.getfixturevalue(fixture)
    path = warehouse.execute("select path from duckdb_databases() where path is not null")
    target = Path(path.fetchone()[0]).parent / "target" / "compiled" / "ev_charging" / "models"
    query = (target / "staging" / "residential" / f"base_{feed}.sql").read_text()
    plan = warehouse.execute(f"explain {query}").fetchall()[0][1]
    assert "READ_CSV" in plan
    assert "JOIN" not in plan
    assert "ORDER_BY" not in plan


def test_a_file_with_a_bracket_in_its_name_is_itself_and_no_glob(tmp_path):
    (tmp_path / "x[1].csv").write_text(f"{LOADS_HEADER}\n{load_row(1)}\n")
    (tmp_path / "x1.csv").write_text(f"{LOADS_HEADER}\n{load_row(2)}\n")
    connection = build(tmp_path, {LOADS: str(tmp_path / "x[1].csv")})
    hours = connection.execute(
        "select hour(load_started_local_at) from core.fct_hourly_loads"
    ).fetchall()
    assert hours == [(1,)]


def test_the_seeds_are_not_read_beside_own_files_by_a_run_without_seeds(tmp_path):
    (tmp_path / "loads.csv").write_text(f"{LOADS_HEADER}\n{load_row(1)}\n")
    warehouse = tmp_path / "warehouse.duckdb"
    assert run_dbt(["seed"], warehouse).returncode == 0
    feeds = {LOADS: str(tmp_path / "loads.csv")}
    assert run_dbt(["run"], warehouse, vars={"feeds": feeds}).returncode == 0
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        sessions = connection.execute("select count(*) from core.fct_charging_sessions").fetchone()
        loads = connection.execute("select count(*) from core.fct_hourly_loads").fetchone()
    assert (sessions, loads) == ((0,), (1,))


# --- values --------------------------------------------------------------------------------------

START, END = "02.01.2024 18:00", "03.01.2024 06:00"
REPORT_VALUES = [
    (report_row("1", START, END, "10,5", "12,0"), None),
    (report_row("NA", START, END, "10,5", "12,0"), "missing_key"),
    (report_row("", START, END, "10,5", "12,0"), "missing_key"),
    (report_row("2", "NA", END, "10,5", "12,0"), "missing_value"),
    (report_row("3", START, END, "-1", "12,0"), "negative_energy"),
    (report_row("4", START, END, "12.5", "12,0"), "not_a_number"),
    (report_row("5", START, END, "1_000", "12,0"), "not_a_number"),
    (report_row("6", START, END, "12,5kWh", "12,0"), "not_a_number"),
    (report_row("7", START, END, "NaN", "12,0"), "not_finite"),
    (report_row("8", START, END, "Inf", "12,0"), "not_finite"),
    (report_row("9", START, END, "1e400", "12,0"), "not_finite"),
    (report_row("10", START, END, "1e308", "12,0"), "out_of_range"),
    (report_row("11", START, END, "170", "12,0"), "implausible_energy"),
    (report_row("12", START, "02.01.2024 18:30", "14,0", "0,5"), "implausible_energy"),
    (report_row("13", END, START, "10,5", "12,0"), "end_before_start"),
    (report_row("14", "01.01.1970 00:00", END, "10,5", "12,0"), "time_out_of_range"),
    (report_row("15", "02.01.0014 18:00", END, "10,5", "12,0"), "time_out_of_range"),
    (report_row("16", START, "03.01.9999 06:00", "10,5", "12,0"), "time_out_of_range"),
    (report_row("17", START, "infinity", "10,5", "12,0"), "time_out_of_range"),
    (report_row("18", "01.01.2027 18:00", "02.01.2027 06:00", "10,5", "12"), "time_out_of_range"),
    (report_row("19", "02.01.2024 24:00", END, "10,5", "12,0"), "not_a_time"),
    (report_row("20", "31.03.2024 02:30", "31.03.2024 09:00", "10,5", "5,5"), "nonexistent_time"),
    (report_row("21", START, END, "0", "12,0"), None),
    (report_row("22", "02.01.2024 18:00+01:00", "2024-01-03T06:00:00Z", "10,5", "13,0"), None),
    (report_row("23", START, "NA", "10,5", "NA"), None),
    (report_row("24", START, "20.01.2024 18:00", "10,5", "432,0"), None),
    (report_row("25", START, END, "4,00E-16", "12,0"), None),
    (report_row("26", START, END, " 10,5 ", "12,0", user="  A-2 "), None),
    (report_row("27", START, END, "10,5", "12,0", user='"\'; drop table core.dim_user; --"'), None),
    (report_row("28", START, END, "10,5", "12,0", user="=cmd|' /C calc'!A0"), None),
    (report_row("29", START, END, "10,5", "12,0", user="../../etc/passwd"), None),
    (report_row("30", START, END, "10,5", "12,0", user="NA"), None),
    (report_row("31", START, END, "10,5", "15,0"), None),
    # both stamps in the repeated hour: it ended ten minutes before or forty minutes after it began
    (report_row("32", "27.10.2024 02:30", "27.10.2024 02:10", "5,0", "3,0"), None),
    (
        report_row("33", "27.10.2024 02:30+01:00", "27.10.2024 02:10", "5,0", "NA"),
        "end_before_start",
    ),
    (report_row("34", START, END, "5,0", "999999999"), "out_of_range"),
    # a shared and a private charge point of the same name, and names with the separator in them
    ("35;A;X;Shared;P;" + f"{START};0;{END};0;1;12;Jan;Monday;x;y", None),
    ("36;A;P;Private;NA;" + f"{START};0;{END};0;1;12;Jan;Monday;x;y", None),
    ("37;A;X;Shared;B/C;" + f"{START};0;{END};0;1;12;Jan;Monday;x;y", None),
    ("38;A/B;X;Shared;C;" + f"{START};0;{END};0;1;12;Jan;Monday;x;y", None),
]


@pytest.fixture(scope="module")
def valued(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """A warehouse from charging reports with every kind of odd value."""
    folder = tmp_path_factory.mktemp("values")
    lines = [REPORTS_HEADER, *(row for row, _ in REPORT_VALUES)]
    (folder / "reports.csv").write_text("\n".join(lines) + "\n")
    return build(folder, {REPORTS: str(folder / "reports.csv")})


def test_an_impossible_value_is_rejected_with_its_reason(valued):
    rejected = valued.execute(
        "select row_number, rejection_reason from quality.rejected_rows order by row_number"
    ).fetchall()
    expected = [(n, reason) for n, (_, reason) in enumerate(REPORT_VALUES, start=1) if reason]
    assert rejected == expected


def session(connection: duckdb.DuckDBPyConnection, session_id: str, columns: str) -> tuple:
    """Columns of one charging session with its user."""
    return connection.execute(
        f"select {columns} from core.fct_charging_sessions "
        "left join core.dim_user using (user_key) where session_id = ?",
        [session_id],
    ).fetchone()


@pytest.mark.parametrize(
    ("session_id", "columns", "expected"),
    [
        ("21", "has_no_energy, outcome", (True, "unknown")),
        ("22", "plugged_in_at::varchar, connected_minutes", ("2024-01-02 17:00:00", 780)),
        ("22", "plugged_out_local_at::varchar", ("2024-01-03 07:00:00",)),
        ("23", "outcome, connected_minutes, energy_kwh", ("open", None, 10.5)),
        ("24", "is_over_long, energy_kwh", (True, 10.5)),
        ("25", "energy_kwh", (0,)),
        ("26", "user_id, energy_kwh", ("A-2", 10.5)),
        ("27", "user_id", ("'; drop table core.dim_user; --",)),
        ("28", "user_id", ("=cmd|' /C calc'!A0",)),
        ("29", "user_id", ("../../etc/passwd",)),
        ("30", "user_id, outcome", ("unknown", "succeeded")),
        ("31", "has_duration_conflict, energy_kwh, reported_minutes", (True, 10.5, 900)),
        ("32", "connected_minutes, is_ambiguous_time", (40, True)),
        ("1", "has_duration_conflict, is_overlapping, outcome", (False, True, "succeeded")),
    ],
)
def test_an_odd_but_possible_value_is_loaded_and_flagged(valued, session_id, columns, expected):
    assert session(valued, session_id, columns) == expected


def test_charge_points_of_the_same_name_are_told_apart(valued):
    stations = valued.execute(
        "select count(distinct station_key) from core.fct_charging_sessions "
        "where session_id in ('35', '36', '37', '38')"
    ).fetchone()
    assert stations == (4,)


def test_the_profile_counts_missing_distinct_and_parsed_values(valued):
    profile = valued.execute(
        "select missing_values, distinct_values, max_value, round(parsed_share, 4) "
        f"from quality.data_profile where feed = '{REPORTS}' and column_name = 'El_kWh'"
    ).fetchone()
    rows = csv.reader((row for row, _ in REPORT_VALUES), delimiter=";")
    values = [row[9].strip() for row in rows]
    numbers = len(values) - sum(v in {"12.5", "1_000", "12,5kWh", "NaN", "Inf"} for v in values)
    numbers -= sum(value in {"1e400", "1e308"} for value in values)
    assert profile[:2] == (0, len(set(values)))
    assert float(profile[2]) == 170
    assert profile[3] == round(numbers / len(values), 4)


# --- Parquet --------------------------------------------------------------------------------------


def test_parquet_of_text_and_parquet_of_types_give_the_same_loads(tmp_path):
    rows = [load_row(hour, energy="3,6") for hour in range(4)]
    values = ", ".join("('" + "', '".join(row.split(";")) + "')" for row in rows)
    names = ", ".join(f'"{name}"' for name in LOADS_HEADER.split(";"))
    clock = "strptime({}, '%d.%m.%Y %H:%M')"
    numbers = ", ".join(
        f"""try_cast(replace("{name}", ',', '.') as double) as "{name}" """
        for name in LOADS_HEADER.split(";")[4:]
    )
    with duckdb.connect() as connection:
        connection.execute(f"create table loads as select * from (values {values}) as t ({names})")
        connection.execute(f"copy loads to '{tmp_path}/1_text.parquet'")
        connection.execute(
            f"""copy (
                select
                    {clock.format("date_from")} as date_from,
                    {clock.format("date_to")} as date_to,
                    "User_ID", cast("session_ID" as integer) as "session_ID", {numbers}
                from loads
            ) to '{tmp_path}/2_typed.parquet'"""
        )
    connection = build(tmp_path, {LOADS: f"{tmp_path}/*.parquet"})
    row = reconciliation(connection, LOADS)
    assert (row["rows_read"], row["accepted_rows"], row["duplicate_rows"]) == (8, 4, 4)


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty_file"),
        (LOADS_HEADER.replace("Flex_7_2kW", "Flex_7kW") + "\n", "has no column Flex_7_2kW"),
        (LOADS_HEADER.removesuffix(";Flex_7_2kW") + "\n", "has no column Flex_7_2kW"),
        (LOADS_HEADER + ";User_ID\n", "has the column User_ID twice"),
        (load_row(0) + "\n", "has no column date_from"),
    ],
    ids=["empty file", "renamed column", "missing column", "column twice", "no header"],
)
def test_a_refused_feed_names_file_and_column(tmp_path, content, message):
    file = tmp_path / "loads.csv"
    file.write_text(content)
    result = run_dbt(["run"], tmp_path / "warehouse.duckdb", vars={"feeds": {LOADS: str(file)}})
    assert result.returncode != 0
    assert f"feed {LOADS} refused" in result.stdout
    assert str(file) in result.stdout
    assert message in result.stdout


@pytest.mark.parametrize(
    ("feeds", "message"),
    [
        ({LOADS: "/nowhere/loads.csv"}, "no file matches /nowhere/loads.csv"),
        (
            {"residential__hourly_load": "x.csv"},
            "feed residential__hourly_load refused (unknown_feed)",
        ),
    ],
)
def test_a_feed_or_file_that_does_not_exist_is_an_error(tmp_path, feeds, message):
    result = run_dbt(["run"], tmp_path / "warehouse.duckdb", vars={"feeds": feeds})
    assert result.returncode != 0
    assert message in result.stdout


def test_a_refused_feed_leaves_the_warehouse_as_it_was(tmp_path):
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("\n".join([REPORTS_HEADER, REPORT_VALUES[0][0]]) + "\n")
    bad.write_text("session_ID;El_kWh\n1;2\n")
    build(tmp_path, {REPORTS: str(good)}).close()
    before = contents(tmp_path / "warehouse.duckdb")
    result = run_dbt(["build"], tmp_path / "warehouse.duckdb", vars={"feeds": {REPORTS: str(bad)}})
    assert result.returncode != 0
    assert contents(tmp_path / "warehouse.duckdb") == before


def contents(warehouse: Path) -> str:
    """Every row of every table of a warehouse as text."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_type = 'BASE TABLE' order by all"
        ).fetchall()
        return json.dumps(
            {
                f"{schema}.{name}": connection.execute(
                    f"select * from {schema}.{name} order by all"
                ).fetchall()
                for schema, name in tables
            },
            default=str,
        )
