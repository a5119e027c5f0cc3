"""The functions in schema kpi against the seed itself, read and summed by other means."""

import re
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from dbt_runner import PROJECT_ROOT
from feed_figures import PROFILES, calendar_days, daily_figures, kwh, read_loads

SEED = PROJECT_ROOT / "seeds" / "raw" / "raw_residential__hourly_loads.csv"
DEFAULT_PROFILE = "synthetic_7_2"
LOAD_COLUMNS = [
    "date_from",
    "date_to",
    "user_id",
    "session_id",
    "synthetic_3_6",
    "synthetic_7_2",
    "flex_3_6",
    "flex_7_2",
]
COLUMNS = {
    "users": ["user_id"],
    "hourly_loads": LOAD_COLUMNS,
    "user_hourly_load": LOAD_COLUMNS,
    "daily_load": ["day", "daily_energy_kwh"],
    "total_energy": ["total_energy_kwh"],
    "daily_average": ["avg_daily_energy_kwh"],
    "daily_average_last_7_days": ["avg_daily_energy_kwh", "period", "from", "to"],
    "peak_daily": ["peak_daily_energy_kwh"],
    "peak_hourly": ["peak_hourly_load_kwh"],
    "daily_utilization": ["day", "active_hours"],
    "avg_active_hours_per_day": ["avg_active_charging_hours_per_day"],
}
LISTS = ["daily_load", "daily_utilization"]
SINGLE_FIGURES = [
    "total_energy",
    "daily_average",
    "peak_daily",
    "peak_hourly",
    "avg_active_hours_per_day",
]
RANGE_FUNCTIONS = LISTS + SINGLE_FIGURES
RANGES = {
    "all data": (None, None),
    "open start": (None, date(2024, 2, 1)),
    "open end": (date(2024, 12, 24), None),
    "spring change": (date(2024, 3, 25), date(2024, 4, 2)),
    "autumn change": (date(2024, 10, 27), date(2024, 10, 28)),
    "days without charging": (date(2024, 1, 2), date(2024, 1, 20)),
}
WITHOUT_DATA = (date(2019, 1, 1), date(2019, 2, 1))
NOT_DATES = [
    "x",
    "",
    "2024-02-30",
    "2024-13-01",
    "01.02.2024",
    "infinity",
    "2024-02-01x",
    "2024-02-01 10:00",
]


@pytest.fixture(scope="module")
def loads(connection) -> pd.DataFrame:
    """The hourly loads of the seed that count."""
    rejected = connection.execute(
        "select row_number from quality.rejected_rows where feed = 'residential__hourly_loads'"
    ).fetchall()
    assert rejected
    return read_loads(SEED, {number for (number,) in rejected})


def call(
    connection: duckdb.DuckDBPyConnection, function: str, *values, profile: str | None = None
) -> list[tuple]:
    """Rows of a KPI function; the values are bound as they are, dates as DATE, texts as text."""
    parameters = ["?" for _ in values]
    bound = list(values)
    if profile is not None:
        parameters.append("load_profile := ?")
        bound.append(profile)
    return connection.execute(
        f"select * from kpi.{function}({', '.join(parameters)})", bound
    ).fetchall()


def days_in_range(
    loads: pd.DataFrame, profile: str, start: date | None, end: date | None
) -> pd.DataFrame:
    """Days with data in a half-open range."""
    return daily_figures(loads, profile, _midnight(start), _midnight(end))


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime(day.year, day.month, day.day)


def expected_rows(function: str, days: pd.DataFrame) -> list[tuple]:
    """What a function of a range returns for days with data."""
    energy, active = days["energy"], days["active_hours"]
    length = calendar_days(days)
    return {
        "daily_load": lambda: [(day.date(), kwh(mwh)) for day, mwh in energy.items()],
        "daily_utilization": lambda: [(day.date(), hours) for day, hours in active.items()],
        "total_energy": lambda: [(kwh(energy.sum()),)],
        "daily_average": lambda: [(pytest.approx(float(kwh(energy.sum())) / length, rel=1e-12),)],
        "peak_daily": lambda: [(kwh(energy.max()),)],
        "peak_hourly": lambda: [(kwh(days["peak"].max()),)],
        "avg_active_hours_per_day": lambda: [(pytest.approx(active.sum() / length, rel=1e-12),)],
    }[function]()


def expected_loads(loads: pd.DataFrame, *order: str) -> list[tuple]:
    """Loads in an order, as the functions return them; the name of a profile has no unit."""
    return [
        (
            load.date_from.to_pydatetime(),
            load.date_to.to_pydatetime(),
            load.user_id,
            load.session_id,
            *(
                None if pd.isna(mwh) else kwh(mwh)
                for mwh in (getattr(load, profile) for profile in PROFILES)
            ),
        )
        for load in loads.sort_values(list(order)).itertuples()
    ]


# --- columns --------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", COLUMNS)
def test_columns_have_the_names_that_were_agreed(connection, function):
    argument = "'Hav3-1'" if function == "user_hourly_load" else ""
    described = connection.execute(f"select * from kpi.{function}({argument})").description
    assert [column[0] for column in described] == COLUMNS[function]


def test_every_agreed_function_is_there(connection):
    functions = connection.execute(
        "select distinct function_name from duckdb_functions() where schema_name = 'kpi'"
    ).fetchall()
    assert set(COLUMNS) <= {name for (name,) in functions}


# --- figures of a range ---------------------------------------------------------------------------


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("span", RANGES)
def test_figures_of_a_range_are_those_of_the_seed(connection, loads, span, profile):
    start, end = RANGES[span]
    days = days_in_range(loads, profile, start, end)
    assert len(days)
    for function in RANGE_FUNCTIONS:
        assert call(connection, function, start, end, profile=profile) == expected_rows(
            function, days
        ), function


@pytest.mark.parametrize("function", RANGE_FUNCTIONS)
def test_arguments_may_be_left_out(connection, loads, function):
    days = days_in_range(loads, DEFAULT_PROFILE, None, None)
    assert call(connection, function) == expected_rows(function, days)


@pytest.mark.parametrize("function", RANGE_FUNCTIONS)
def test_dates_are_given_as_text_or_as_date(connection, function):
    first, last = date(2024, 5, 1), date(2024, 6, 1)
    as_dates = call(connection, function, first, last)
    assert as_dates
    assert call(connection, function, "2024-05-01", "2024-06-01") == as_dates
    assert call(connection, function, "2024-05-01", last) == as_dates


def test_the_first_day_counts_and_the_last_does_not(connection, loads):
    days = daily_figures(loads, DEFAULT_PROFILE)["energy"]
    day = days.index[(days > 0) & (days.index.day == 15)][0].date()
    following = day + timedelta(days=1)
    assert call(connection, "daily_load", day, following) == [
        (day, kwh(days[datetime(day.year, day.month, day.day)]))
    ]
    assert call(connection, "daily_load", day, day) == []


def test_a_day_without_charging_counts_as_zero(connection, loads):
    start, end = RANGES["days without charging"]
    days = days_in_range(loads, DEFAULT_PROFILE, start, end)
    length = calendar_days(days)
    # else the range proves nothing
    assert len(days) < length
    ((average,),) = call(connection, "daily_average", start, end)
    ((active,),) = call(connection, "avg_active_hours_per_day", start, end)
    assert average == pytest.approx(float(kwh(days["energy"].sum())) / length, rel=1e-12)
    assert active == pytest.approx(days["active_hours"].sum() / length, rel=1e-12)


@pytest.mark.parametrize("profile", [None, *PROFILES])
def test_the_last_seven_days_end_with_the_last_day_of_data(connection, loads, profile):
    energy = daily_figures(loads, profile or DEFAULT_PROFILE)["energy"]
    end = energy.index.max() + timedelta(days=1)
    start = end - timedelta(days=7)
    average = float(kwh(energy[energy.index >= start].sum())) / 7
    assert call(connection, "daily_average_last_7_days", profile=profile) == [
        (pytest.approx(average, rel=1e-12), "last_7_days", start.date(), end.date())
    ]


# --- users and their hours ------------------------------------------------------------------------


def test_users_are_those_with_a_load(connection, loads):
    assert call(connection, "users") == [(user,) for user in sorted(loads["user_id"].unique())]


@pytest.mark.parametrize(
    ("argument", "rows"), [("", 20), ("5", 5), ('"limit" := 50', 50), ("0", 0)]
)
def test_hourly_loads_are_the_oldest_rows(connection, loads, argument, rows):
    expected = expected_loads(loads, "starts_at", "user_id", "session_id")[:rows]
    found = connection.execute(f"select * from kpi.hourly_loads({argument})").fetchall()
    assert found == expected


def test_all_hourly_loads_are_those_of_the_seed(connection, loads):
    expected = expected_loads(loads, "starts_at", "user_id", "session_id")
    assert call(connection, "hourly_loads", len(loads) + 1) == expected


@pytest.mark.parametrize(
    ("start", "end"),
    [(None, None), ("2024-03-31", "2024-04-01"), ("2024-10-27", date(2024, 10, 28))],
)
@pytest.mark.parametrize("user", ["Hav3-2", "Share-3"])
def test_the_hours_of_a_user_are_those_of_the_seed(connection, loads, user, start, end):
    first = pd.Timestamp(start or "1900-01-01")
    last = pd.Timestamp(end or "2100-01-01")
    own = loads[(loads["user_id"] == user) & (loads["day"] >= first) & (loads["day"] < last)]
    assert call(connection, "user_hourly_load", user, start, end) == expected_loads(
        own, "starts_at", "session_id"
    )


def test_the_hours_of_all_users_are_all_hours(connection, loads):
    users = [user for (user,) in call(connection, "users")]
    hours = {user: len(call(connection, "user_hourly_load", user)) for user in users}
    assert hours == loads["user_id"].value_counts().to_dict()


# --- nothing there --------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", PROFILES)
def test_a_valid_range_without_data_is_empty_or_null(connection, profile):
    for function in LISTS:
        assert call(connection, function, *WITHOUT_DATA, profile=profile) == [], function
    for function in SINGLE_FIGURES:
        assert call(connection, function, *WITHOUT_DATA, profile=profile) == [(None,)], function


def test_a_known_user_without_hours_in_the_range_has_no_rows(connection):
    assert call(connection, "user_hourly_load", "Hav3-1", *WITHOUT_DATA) == []


def test_a_range_of_no_days_is_no_error(connection):
    assert call(connection, "total_energy", "2024-05-01", "2024-05-01") == [(None,)]


# --- errors ---------------------------------------------------------------------------------------


def refusal(connection: duckdb.DuckDBPyConnection, *args, **kwargs) -> str:
    """The message of a call that must fail."""
    with pytest.raises(duckdb.InvalidInputException) as error:
        call(connection, *args, **kwargs)
    return str(error.value)


@pytest.mark.parametrize("function", RANGE_FUNCTIONS)
@pytest.mark.parametrize("start", ["2024-02-02", date(2024, 2, 2)])
def test_a_start_after_its_end_is_an_error(connection, function, start):
    message = refusal(connection, function, start, "2024-02-01")
    assert "start_date must not be after end_date" in message


def test_a_start_after_its_end_is_an_error_for_a_user_too(connection):
    message = refusal(connection, "user_hourly_load", "Hav3-1", "2024-02-02", "2024-02-01")
    assert "start_date must not be after end_date" in message


@pytest.mark.parametrize("function", RANGE_FUNCTIONS)
@pytest.mark.parametrize("year", [2019, 2099])
def test_a_range_beyond_all_data_is_checked_too(connection, function, year):
    message = refusal(connection, function, f"{year}-02-02", f"{year}-02-01")
    assert "start_date must not be after end_date" in message


@pytest.mark.parametrize("text", NOT_DATES)
@pytest.mark.parametrize("function", RANGE_FUNCTIONS)
def test_what_is_no_date_is_an_error_that_names_the_argument(connection, function, text):
    assert "start_date is not a date" in refusal(connection, function, text, None)
    assert "end_date is not a date" in refusal(connection, function, None, text)


@pytest.mark.parametrize("text", NOT_DATES)
def test_what_is_no_date_is_an_error_for_a_user_too(connection, text):
    for place, argument in enumerate(("start_date", "end_date")):
        dates = [None, None]
        dates[place] = text
        message = refusal(connection, "user_hourly_load", "Hav3-1", *dates)
        assert f"{argument} is not a date" in message


@pytest.mark.parametrize("profile", ["synthetic_11", "Synthetic_7_2", ""])
@pytest.mark.parametrize("function", [*RANGE_FUNCTIONS, "daily_average_last_7_days"])
def test_an_unknown_profile_is_an_error_that_lists_the_known(connection, function, profile):
    message = refusal(connection, function, profile=profile)
    assert "load_profile must be one of" in message
    assert all(known in message for known in PROFILES)


@pytest.mark.parametrize("user", ["nobody", "hav3-1", "", None, "' or true --"])
def test_an_unknown_user_is_an_error(connection, user):
    assert "No data found for given user" in refusal(connection, "user_hourly_load", user)


def test_a_user_of_a_report_without_loads_has_no_data(connection):
    users = {user for (user,) in call(connection, "users")}
    reported = {
        user for (user,) in connection.execute("select user_id from core.dim_user").fetchall()
    }
    for user in reported - users:
        assert "No data found for given user" in refusal(connection, "user_hourly_load", user)


# --- examples -------------------------------------------------------------------------------------


def examples() -> list[tuple[str, str]]:
    """File and text of each query in the descriptions of the functions."""
    folder = PROJECT_ROOT / "models" / "marts" / "kpi"
    return [
        (file.stem, query)
        for file in sorted(folder.glob("*.yml"))
        for query in re.findall(r"```sql\n(.+?)```", file.read_text(encoding="utf-8"), re.S)
    ]


def test_every_function_shows_an_example():
    files = {Path(file).stem for file in (PROJECT_ROOT / "models" / "marts" / "kpi").glob("*.sql")}
    assert {file for file, _ in examples()} == files


@pytest.mark.parametrize(("file", "query"), examples(), ids=[file for file, _ in examples()])
def test_an_example_runs_and_finds_rows(connection, file, query):
    rows = connection.execute(query).fetchall()
    assert rows
    # a single figure of a range without data is a row of NULL, which shows nothing
    assert any(value is not None for value in rows[0]), file
