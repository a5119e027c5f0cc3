"""Own files of an experiment: what counts for whom, without prices, in any form, or not at all."""

import shutil
from pathlib import Path

import duckdb
import pytest

from dbt_runner import run_dbt
from test_feeds import build, contents, reconciliation

pytestmark = pytest.mark.builds

USERS = "experiment__users"
SESSIONS = "experiment__sessions"
LISTED = "charge_timing_2024"
TOTALS = (
    "pre_sessions,pre_low_price_sessions,pre_peak_sessions,pre_energy_kwh,"
    "pre_low_price_energy_kwh,pre_cost_eur,pre_co2_g"
)
USERS_HEADER = f"experiment_id,user_id,variant,assigned_at,segment,{TOTALS}"
SESSIONS_HEADER = (
    "session_id,user_id,plugged_in_at,charging_started_at,charging_ended_at,plugged_out_at,"
    "energy_kwh,cost_eur,in_low_price_window"
)
NO_TOTALS = "," * 6

# The columns stand in another order, with one more between them.
REORDERED = "note,user_id,variant,experiment_id,segment,assigned_at," + TOTALS
FIRST_USERS = [
    (f"x,u1,control,{LISTED},city,2024-10-20T12:00Z,4,1,2,40.5,10.5,-0.5,1200", None),
    (f"x,u2,treatment,{LISTED},city,2024-10-22T00:00+02:00,{NO_TOTALS}", None),
    (f"x,u3,control,{LISTED},city,2024-10-20T12:00Z,{NO_TOTALS}", None),
    (f"x,u3,treatment,{LISTED},city,2024-10-20T13:00Z,{NO_TOTALS}", None),
    (f"x,u4,treatment,{LISTED},,2024-10-20T12:00Z,{NO_TOTALS}", None),
    (f"x,u1,treatment,pilot,city,2024-11-01T08:00Z,{NO_TOTALS}", None),
    (f"x,u5,control,pilot,city,2024-11-02T08:00Z,{NO_TOTALS}", None),
    (f"x,u6,,{LISTED},city,2024-10-20T12:00Z,{NO_TOTALS}", "missing_key"),
    (f"x,u7,control,{LISTED},city,2024-10-20T24:00Z,{NO_TOTALS}", "not_a_time"),
    (f"x,u8,control,{LISTED},city,2024-10-20T12:00Z,-1,,,,,,", "negative_count"),
    (f'x,u9,control,{LISTED},city,2024-10-20T12:00Z,,,,"12,5",,,', "not_a_number"),
]
# A newer delivery corrects the segment of u2 and says the same of u4.
SECOND_USERS = [
    f"{LISTED},u2,treatment,2024-10-21T22:00Z,suburb,{NO_TOTALS}",
    f"{LISTED},u4,treatment,2024-10-20T12:00Z,,{NO_TOTALS}",
]


def session_row(
    session: str,
    user: str,
    plug_in: str,
    energy: str = "1",
    cost: str = "",
    flag: str = "",
    times: str = ",,",
) -> str:
    """A session; `times` are begin and end of charging and the plug-out."""
    return f"{session},{user},{plug_in},{times},{energy},{cost},{flag}"


DAY = "2024-10-23T10:00Z"
FIRST_SESSIONS = [
    # 18:05 on the clock
    (session_row("s1", "u1", "2024-10-21T16:05Z", "10.5", "1.05", "true"), None),
    # in both experiments of the user; 21:00 on the clock
    (session_row("s2", "u1", "2024-11-02T20:00Z", "20", "3", "FALSE"), None),
    # a minute before the assignment, at the assignment
    (session_row("s3", "u2", "2024-10-21T21:59Z", "5", "1", "true"), None),
    (session_row("s4", "u2", "2024-10-21T22:00Z", "", "0.5", ""), None),
    (session_row("s5", "u3", DAY, "5", "1", "true"), None),
    # after the end of the listed experiment; the other has no planned end
    (session_row("s6", "u5", "2024-11-05T12:00Z", "7", "", "no"), None),
    (session_row("s7", "stranger", DAY, "5", "1", "true"), None),
    (session_row("s8", "", DAY, "5", "1", "true"), None),
    (session_row("", "u1", DAY), "missing_key"),
    (session_row("b1", "u1", ""), "missing_value"),
    (session_row("b2", "u1", "2024-10-23T24:00Z"), "not_a_time"),
    (session_row("b3", "u1", "9999-10-23T10:00Z"), "time_out_of_range"),
    (session_row("b4", "u1", DAY, times="2024-10-23T09:59Z,,"), "end_before_start"),
    (session_row("b5", "u1", DAY, times=",2024-10-23T09:59Z,"), "end_before_start"),
    (session_row("b6", "u1", DAY, times=",,2024-10-23T11:59+02:00"), "end_before_start"),
    (session_row("b7", "u1", DAY, '"12,5"'), "not_a_number"),
    (session_row("b8", "u1", DAY, "1_000"), "not_a_number"),
    (session_row("b9", "u1", DAY, "NaN"), "not_finite"),
    (session_row("b10", "u1", DAY, "1e400"), "not_finite"),
    (session_row("b11", "u1", DAY, "1e308"), "out_of_range"),
    (session_row("b12", "u1", DAY, "-1"), "negative_energy"),
    (session_row("b13", "u1", DAY, "500"), "implausible_energy"),
    (session_row("b14", "u1", DAY, "1", "100000"), "implausible_cost"),
    (session_row("b15", "u1", DAY, "1", "1", "maybe"), "not_a_boolean"),
    ("b16,u1", "too_few_fields"),
]
# metric: (numerator, denominator) of each user
SUMS = {
    (LISTED, "u1"): {
        "low_price_share": (1, 2),
        "energy_per_session": (30.5, 2),
        "sessions_per_user": (2, 1),
        "low_price_energy_share": (10.5, 30.5),
        "cost_per_kwh": (4.05, 30.5),
        "gco2_per_kwh": (0, 0),
        "peak_hour_share": (1, 2),
    },
    # one session without energy and flag, one of the Parquet file
    (LISTED, "u2"): {
        "low_price_share": (1, 1),
        "energy_per_session": (8.25, 1),
        "sessions_per_user": (2, 1),
        "low_price_energy_share": (8.25, 8.25),
        "cost_per_kwh": (0.75, 8.25),
        "gco2_per_kwh": (0, 0),
        "peak_hour_share": (0, 2),
    },
    (LISTED, "u4"): {
        "low_price_share": (0, 0),
        "energy_per_session": (0, 0),
        "sessions_per_user": (0, 1),
        "low_price_energy_share": (0, 0),
        "cost_per_kwh": (0, 0),
        "gco2_per_kwh": (0, 0),
        "peak_hour_share": (0, 0),
    },
    ("pilot", "u1"): {
        "low_price_share": (0, 1),
        "energy_per_session": (20, 1),
        "sessions_per_user": (1, 1),
        "low_price_energy_share": (0, 20),
        "cost_per_kwh": (3, 20),
        "gco2_per_kwh": (0, 0),
        "peak_hour_share": (0, 1),
    },
    ("pilot", "u5"): {
        "low_price_share": (0, 1),
        "energy_per_session": (7, 1),
        "sessions_per_user": (1, 1),
        "low_price_energy_share": (0, 7),
        "cost_per_kwh": (0, 0),
        "gco2_per_kwh": (0, 0),
        "peak_hour_share": (0, 1),
    },
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("experiment")


@pytest.fixture(scope="module")
def own(folder: Path) -> duckdb.DuckDBPyConnection:
    """A warehouse of two experiments: users in two CSV files, sessions in CSV and Parquet."""
    users = "\r\n".join([REORDERED, *(row for row, _ in FIRST_USERS)])
    (folder / "users_1.csv").write_bytes(b"\xef\xbb\xbf" + users.encode() + b"\r\n")
    (folder / "users_2.csv").write_text("\n".join([USERS_HEADER, *SECOND_USERS]))
    sessions = "\n".join([SESSIONS_HEADER, *(row for row, _ in FIRST_SESSIONS)])
    (folder / "sessions_1.csv").write_text(sessions)
    with duckdb.connect() as connection:
        connection.execute(
            f"""copy (
                select
                    true as in_low_price_window,
                    8.25::double as energy_kwh,
                    0.75::decimal(9, 2) as cost_eur,
                    -- as pandas writes integers among which one is missing
                    9::double as session_id,
                    'u2' as user_id,
                    timestamp_ns '2024-10-25 12:00:00.000000001' as plugged_in_at,
                    timestamptz '2024-10-25 14:05:00+02:00' as charging_started_at,
                    timestamp '2024-10-25 15:00:00.5' as charging_ended_at,
                    null::timestamp as plugged_out_at
            ) to '{folder}/sessions_2.parquet'"""
        )
    feeds = {USERS: str(folder / "users_*.csv"), SESSIONS: str(folder / "sessions_*")}
    return build(folder, feeds, subjects=["experiment"])


def sums(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], dict]:
    found: dict[tuple[str, str], dict] = {}
    for experiment, user, metric, numerator, denominator in connection.execute(
        "select experiment_id, user_id, metric, numerator::double, denominator::double "
        "from experiment.experiment_users"
    ).fetchall():
        found.setdefault((experiment, user), {})[metric] = (numerator, denominator)
    return found


# --- own files ------------------------------------------------------------------------------------


def test_without_prices_the_flags_and_costs_of_the_sender_count(own):
    assert own.execute("select count(*) from core.fct_electricity_prices").fetchone() == (0,)
    assert sums(own) == SUMS


@pytest.mark.parametrize(
    ("feed", "delivered", "file"),
    [(USERS, FIRST_USERS, "users_1.csv"), (SESSIONS, FIRST_SESSIONS, "sessions_1.csv")],
)
def test_a_bad_row_is_rejected_with_its_reason(own, feed, delivered, file):
    rejected = own.execute(
        "select row_number, rejection_reason, parse_filename(file_name) "
        "from quality.rejected_rows where feed = ? order by row_number",
        [feed],
    ).fetchall()
    assert rejected == [
        (number, reason, file)
        for number, (_, reason) in enumerate(delivered, start=1)
        if reason is not None
    ]


def test_every_row_of_users_and_sessions_ends_in_exactly_one_place(own):
    users, sessions = reconciliation(own, USERS), reconciliation(own, SESSIONS)
    assert users["rows_read"] == len(FIRST_USERS) + len(SECOND_USERS)
    assert (users["duplicate_rows"], users["superseded_rows"]) == (1, 1)
    assert users["extra_columns"] == "note"
    assert sessions["rows_read"] == len(FIRST_SESSIONS) + 1
    assert (sessions["duplicate_rows"], sessions["superseded_rows"]) == (0, 0)
    assert (users["unaccounted_rows"], sessions["unaccounted_rows"]) == (0, 0)


def test_times_and_numbers_of_parquet_arrive_as_they_are(own):
    row = own.execute(
        "select plugged_in_at::varchar, charging_started_at::varchar, charging_ended_at::varchar, "
        "plugged_out_at, energy_kwh::double, cost_eur::double, in_low_price_window "
        "from staging.stg_experiment__sessions where session_id = '9'"
    ).fetchone()
    times = ("2024-10-25 12:00:00", "2024-10-25 12:05:00", "2024-10-25 15:00:00.5")
    assert row == (*times, None, 8.25, 0.75, True)


def test_an_experiment_that_is_not_listed_takes_its_days_from_the_data(own):
    rows = own.execute(
        "select experiment_id, control_variant, starts_on::varchar, ends_on::varchar, days, "
        "planned_users from intermediate.int_experiments order by 1"
    ).fetchall()
    assert rows == [
        (LISTED, "control", "2024-10-21", "2024-11-03", 13, 2000),
        ("pilot", "control", "2024-11-02", "2024-11-05", 4, 2000),
    ]


def test_the_newest_delivery_of_a_user_counts_and_a_mixed_user_belongs_to_no_arm(own):
    rows = own.execute(
        "select user_id, variant, segment, is_mixed from intermediate.int_experiment_assignments "
        f"where experiment_id = '{LISTED}' order by 1"
    ).fetchall()
    assert rows == [
        ("u1", "control", "city", False),
        ("u2", "treatment", "suburb", False),
        ("u3", None, "city", True),
        ("u4", "treatment", "unknown", False),
    ]


def test_the_period_before_the_assignment_arrives_where_it_is_delivered(own):
    rows = own.execute(
        "select metric, pre_numerator::double, pre_denominator::double "
        "from experiment.experiment_users where pre_numerator is not null order by 1"
    ).fetchall()
    assert rows == [
        ("cost_per_kwh", -0.5, 40.5),
        ("energy_per_session", 40.5, 4),
        ("gco2_per_kwh", 1200, 40.5),
        ("low_price_energy_share", 10.5, 40.5),
        ("low_price_share", 1, 4),
        ("peak_hour_share", 2, 4),
        ("sessions_per_user", 4, 1),
    ]


def test_every_accepted_session_is_in_the_fact_also_those_that_count_for_no_experiment(own):
    rows = own.execute(
        "select sessions.session_id, users.user_id, sessions.source_system "
        "from core.fct_charging_sessions as sessions "
        "inner join core.dim_user as users using (user_key) order by 1"
    ).fetchall()
    users = {"9": "u2"} | {
        row.split(",")[0]: row.split(",")[1] or "unknown"
        for row, reason in FIRST_SESSIONS
        if reason is None
    }
    assert rows == [(session, user, "experiment") for session, user in sorted(users.items())]


@pytest.mark.parametrize("feed", [USERS, SESSIONS])
def test_nothing_is_joined_or_sorted_while_a_feed_of_an_experiment_is_read(own, folder, feed):
    models = folder / "target" / "compiled" / "ev_charging" / "models"
    query = (models / "staging" / "experiment" / f"base_{feed}.sql").read_text()
    plan = own.execute(f"explain {query}").fetchall()[0][1]
    assert "READ_CSV" in plan
    assert "JOIN" not in plan
    assert "ORDER_BY" not in plan


# --- what is missing ------------------------------------------------------------------------------


def test_a_file_without_a_column_is_refused_and_nothing_changes(own, folder, tmp_path):
    warehouse = Path(shutil.copy(folder / "warehouse.duckdb", tmp_path))
    before = contents(warehouse)
    users = tmp_path / "users.csv"
    users.write_text(USERS_HEADER.replace("variant,", "") + "\n")
    result = run_dbt(["build"], warehouse, vars={"feeds": {USERS: str(users)}})
    assert result.returncode != 0
    assert f"feed {USERS} refused" in result.stdout
    assert "has no column variant" in result.stdout
    assert contents(warehouse) == before


def test_users_without_any_session_are_an_experiment_of_no_days(tmp_path):
    users = tmp_path / "users.csv"
    users.write_text(
        "\n".join(
            [
                USERS_HEADER,
                f"pilot,u1,control,2024-11-01T08:00Z,,{NO_TOTALS}",
                f"pilot,u2,treatment,2024-11-01T08:00Z,,{NO_TOTALS}",
            ]
        )
    )
    warehouse = tmp_path / "warehouse.duckdb"
    arguments = ["build", "--selector", "experiment", "--exclude-resource-type", "unit_test"]
    result = run_dbt(arguments, warehouse, vars={"feeds": {USERS: str(users)}})
    assert result.returncode == 0, result.stdout
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        found = sums(connection)
        assert {user for _, user in found} == {"u1", "u2"}
        for metrics in found.values():
            assert metrics.pop("sessions_per_user") == (0, 1)
            assert set(metrics.values()) == {(0, 0)}
        days = connection.execute("select days, ends_on from intermediate.int_experiments")
        assert days.fetchall() == [(0, None)]


# --- the seeds ------------------------------------------------------------------------------------


def test_the_sender_of_the_seeds_and_the_prices_agree_on_every_flag(connection):
    compared, differing = connection.execute(
        """
        select count(*), count_if(counted.delivered_is_low_price <> counted.priced_is_low_price)
        from intermediate.int_experiment_sessions as counted
        inner join core.fct_charging_sessions as sessions using (session_id)
        where sessions.source_system = 'experiment'
            and sessions.charging_started_at is not null
            and counted.delivered_is_low_price is not null
            and counted.priced_is_low_price is not null
        """
    ).fetchone()
    assert compared > 9_000
    assert differing == 0
