"""The same feeds give the same warehouse: built again, elsewhere, and on nothing at all."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from dbt_runner import PROJECT_ROOT, PSEUDONYM_KEY, run_dbt

pytestmark = pytest.mark.builds

SCHEMAS = (
    "core",
    "experiment",
    "extracts",
    "fleet",
    "load",
    "mobility",
    "quality",
    "reliability",
)
KPI_CALLS = [
    "users()",
    "hourly_loads(100)",
    "user_hourly_load('Share-1', '2024-10-01', '2024-11-15')",
    "daily_load()",
    "total_energy('2024-03-01', '2024-04-01')",
    "daily_average('2024-03-01', '2024-04-01')",
    "daily_average_last_7_days()",
    "peak_daily(load_profile := 'flex_7_2')",
    "peak_hourly('2024-10-27', '2024-10-28')",
    "daily_utilization()",
    "avg_active_hours_per_day('2024-01-01', '2024-02-01')",
    "assets_plugged_in('2024-10-27 00:00', '2024-10-27 02:00')",
    "assets_full_by('2024-10-29 06:00')",
]
SINGLE_FIGURES = [
    "total_energy",
    "daily_average",
    "peak_daily",
    "peak_hourly",
    "avg_active_hours_per_day",
]
LISTS = ["users", "hourly_loads", "daily_load", "daily_utilization"]
CLOCK_OR_CHANCE = re.compile(
    r"""
    \b(current_(date|time|timestamp)|localtime(stamp)?)\b
    | \b(now|today|getdate|sysdate|clock_timestamp|transaction_timestamp)\s*\(
    | \bget_current_\w+\s*\(
    | \b(random|rand|randn|gen_random_uuid|uuid|uuidv\d|setseed|nextval|txid_current)\s*\(
    | \b(tablesample|using\s+sample)\b
    | \b(run_started_at|invocation_id|modules\.datetime)\b
    | \bdbt\.current_timestamp
    """,
    re.X | re.I,
)
PYTHON_CLOCK_OR_CHANCE = re.compile(
    r"\.(now|utcnow|today)\(|\btime\.(time|monotonic|perf_counter)|\buuid[14]\b"
    r"|default_rng\(\s*\)|\brandom\.(random|randint|choice|shuffle|rand|randn|normal)\("
)

Contents = dict[str, list[tuple]]


def build(folder: Path, env: dict[str, str] | None = None, vars: dict | None = None) -> Path:
    """Build and test the warehouse in a folder, unit tests apart, and return its path."""
    warehouse = folder / "warehouse.duckdb"
    result = run_dbt(
        ["build", "--exclude-resource-type", "unit_test"],
        warehouse,
        vars=vars,
        env={"EV_PSEUDONYM_KEY": PSEUDONYM_KEY, **(env or {})},
    )
    assert result.returncode == 0, result.stdout
    return warehouse


def contents(warehouse: Path) -> Contents:
    """Every row of the tables of the marts and of the KPI functions, in the order of all columns.

    The KPI functions keep the order in which they return their rows.
    """
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        tables = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables "
            "where list_contains(?, table_schema) order by 1",
            [list(SCHEMAS)],
        ).fetchall()
        return {
            table: connection.execute(f"select * from {table} order by all").fetchall()
            for (table,) in tables
        } | {call: connection.execute(f"select * from kpi.{call}").fetchall() for call in KPI_CALLS}


def differences(first: Contents, second: Contents) -> list[str]:
    """Tables that differ, with the first row in which they do."""
    found = [f"{name} is in one of them only" for name in sorted(first.keys() ^ second.keys())]
    for name in sorted(first.keys() & second.keys()):
        if first[name] != second[name]:
            pairs = zip(first[name], second[name], strict=False)
            pair = next((f"{a} / {b}" for a, b in pairs if a != b), "one is longer")
            found.append(f"{name}: {len(first[name])} / {len(second[name])} rows, {pair}")
    return found


@pytest.fixture(scope="module")
def first_contents(warehouse: Path) -> Contents:
    """What the first build left, by several threads and on the clock of this machine."""
    return contents(warehouse)


@pytest.fixture(scope="module")
def again(warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same file built a second time, by one thread and on another clock."""
    folder = tmp_path_factory.mktemp("again")
    shutil.copy(warehouse, folder / "warehouse.duckdb")
    return build(folder, env={"EV_THREADS": "1", "TZ": "Asia/Tokyo"})


@pytest.fixture(scope="module")
def types(warehouse: Path) -> dict[tuple[str, str, str], str]:
    """Type of every column of the warehouse."""
    return column_types(warehouse)


def column_types(warehouse: Path) -> dict[tuple[str, str, str], str]:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return {
            tuple(row[:3]): row[3]
            for row in connection.execute(
                "select table_schema, table_name, column_name, data_type "
                "from information_schema.columns"
            ).fetchall()
        }


# --- built again ----------------------------------------------------------------------------------


def test_a_second_build_by_other_threads_on_another_clock_changes_no_row(first_contents, again):
    assert len(first_contents) > len(KPI_CALLS) + len(SCHEMAS)
    assert first_contents["core.fct_hourly_loads"]
    assert differences(first_contents, contents(again)) == []


@pytest.mark.parametrize("time_zone", ["Asia/Tokyo", "America/Los_Angeles"])
def test_the_time_zone_of_a_reader_changes_no_figure(warehouse, first_contents, time_zone):
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        connection.execute(f"set timezone = '{time_zone}'")
        for call in KPI_CALLS:
            rows = connection.execute(f"select * from kpi.{call}").fetchall()
            assert rows == first_contents[call], call


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ({"a": [(1,), (2,)]}, []),
        ({"a": [(1,), (3,)]}, ["a: 2 / 2 rows, (2,) / (3,)"]),
        ({"a": [(1,)]}, ["a: 2 / 1 rows, one is longer"]),
        ({"a": [(1,), (2,)], "b": []}, ["b is in one of them only"]),
    ],
)
def test_a_difference_is_found(second, expected):
    assert differences({"a": [(1,), (2,)]}, second) == expected


# --- no clock, no chance --------------------------------------------------------------------------


def without_comments(code: str) -> str:
    """SQL with Jinja, or SQL alone, without its comments and the texts in quotes."""
    code = re.sub(r"\{#.*?#\}|/\*.*?\*/", " ", code, flags=re.S)
    code = re.sub(r"'(?:[^'\n]|'')*'", "''", code)
    return re.sub(r"--[^\n]*", " ", code)


def uses(files: list[Path], pattern: re.Pattern, clean=without_comments) -> list[str]:
    """Files with what they use of a pattern."""
    found = []
    for file in files:
        match = pattern.search(clean(file.read_text(encoding="utf-8")))
        if match:
            found.append(f"{file.name}: {match[0]}")
    return found


def test_no_compiled_sql_reads_the_clock_or_chance(again):
    files = [
        file
        for folder in ("compiled", "run")
        for file in (again.parent / "target" / folder / "ev_charging").rglob("*.sql")
    ]
    names = {file.name for file in files}
    assert {"fct_hourly_loads.sql", "total_energy.sql", "no_row_of_a_feed_is_lost.sql"} <= names
    assert uses(files, CLOCK_OR_CHANCE) == []


def test_no_source_reads_the_clock_or_chance():
    files = [
        file
        for folder in ("models", "macros", "analyses", "tests/generic")
        for file in (PROJECT_ROOT / folder).rglob("*.sql")
    ]
    assert len(files) > 20
    assert uses(files, CLOCK_OR_CHANCE) == []
    models = list((PROJECT_ROOT / "models").rglob("*.py"))
    assert uses(models, PYTHON_CLOCK_OR_CHANCE, clean=str) == []


@pytest.mark.parametrize(
    "code",
    [
        "select current_timestamp",
        "select CURRENT_DATE as d",
        "select now()",
        "where day < today ()",
        "select get_current_time()",
        "order by random()",
        "select uuid()",
        "select gen_random_uuid()",
        "from t using sample 10",
        "select '{{ run_started_at }}' as a, {{ run_started_at }}",
        "{{ dbt.current_timestamp() }}",
    ],
)
def test_a_clock_is_found(code, tmp_path):
    (tmp_path / "model.sql").write_text(code)
    assert len(uses([tmp_path / "model.sql"], CLOCK_OR_CHANCE)) == 1


@pytest.mark.parametrize(
    "code",
    [
        "-- not now() but as_of\nselect 1",
        "{#- today() is a var -#} select 1",
        "select snow(1), current_timestamps, 'now() and then'",
    ],
)
def test_what_is_no_clock_is_not_found(code, tmp_path):
    (tmp_path / "model.sql").write_text(code)
    assert uses([tmp_path / "model.sql"], CLOCK_OR_CHANCE) == []


@pytest.mark.parametrize(
    "code", ["datetime.now()", "np.random.default_rng()", "t = time.time()", "random.random()"]
)
def test_a_clock_in_python_is_found(code):
    assert PYTHON_CLOCK_OR_CHANCE.search(code)
    assert not PYTHON_CLOCK_OR_CHANCE.search("rng = np.random.default_rng(seed)")


# --- nothing to build from ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse built from files that hold a header and nothing else, one for every feed."""
    folder = tmp_path_factory.mktemp("empty")
    feeds = {}
    for seed in sorted((PROJECT_ROOT / "seeds" / "raw").glob("raw_*.csv")):
        file = folder / f"{seed.stem}.csv"
        with seed.open(encoding="utf-8") as lines:
            file.write_text(next(lines), encoding="utf-8")
        feeds[seed.stem.removeprefix("raw_")] = str(file)
    assert feeds
    return build(folder, vars={"feeds": feeds})


@pytest.fixture(scope="module")
def opened(empty: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(empty), read_only=True) as connection:
        yield connection


def test_every_data_test_passes_on_empty_feeds(empty):
    results = json.loads((empty.parent / "target" / "run_results.json").read_text())["results"]
    tests = [result for result in results if result["unique_id"].startswith("test.")]
    assert len(tests) > 50
    assert {result["status"] for result in tests} == {"pass"}


def test_the_columns_of_an_empty_warehouse_have_the_same_types(empty, types):
    assert column_types(empty) == types


def test_the_columns_of_an_empty_warehouse_have_the_types_of_their_contracts(empty):
    manifest = json.loads((empty.parent / "target" / "manifest.json").read_text())
    models = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["contract"]["enforced"]
    ]
    found = column_types(empty)
    promised = {
        (model["schema"], model["alias"], column["name"]): _type_name(column["data_type"])
        for model in models
        for column in model["columns"].values()
    }
    assert len(promised) > 50
    assert {key: found.get(key) for key in promised} == promised


def _type_name(text: str) -> str:
    return text.upper().replace(" ", "")


def test_facts_loads_and_rejections_are_empty(opened):
    tables = opened.execute(
        "select table_schema || '.' || table_name from information_schema.tables "
        "where table_schema in "
        "('experiment', 'extracts', 'fleet', 'load', 'mobility', 'reliability') "
        # It simulates a fleet of its own.
        "and table_name <> 'simulation_validation' "
        "or table_name like 'fct_%' or table_name = 'rejected_rows'"
    ).fetchall()
    assert len(tables) > 5
    rows = {
        table: opened.execute(f"select count(*) from {table}").fetchone()[0] for (table,) in tables
    }
    assert {table: count for table, count in rows.items() if count} == {}


def test_dimensions_hold_the_unknown_member_and_the_calendar(opened):
    for table, name in (("dim_user", "user_id"), ("dim_station", "station_id")):
        assert opened.execute(f"select {name} from core.{table}").fetchall() == [("unknown",)]
    first, last, days = opened.execute(
        "select min(date_key), max(date_key), count(*) from core.dim_date"
    ).fetchone()
    assert days == (last - first).days + 1 > 365
    assert opened.execute("select count(*) from core.dim_time").fetchone() == (96,)


def test_every_feed_is_read_and_has_no_rows(opened):
    feeds = opened.execute(
        "select feed, files, rows_read, accepted_rows, unaccounted_rows "
        "from quality.feed_reconciliation"
    ).fetchall()
    assert feeds
    assert {feed[1:] for feed in feeds} == {(1, 0, 0, 0)}


def test_kpi_functions_of_no_data_are_empty_or_null(opened):
    for function in LISTS:
        assert opened.execute(f"select * from kpi.{function}()").fetchall() == [], function
    for function in SINGLE_FIGURES:
        assert opened.execute(f"select * from kpi.{function}()").fetchall() == [(None,)], function
    last_week = opened.execute("select * from kpi.daily_average_last_7_days()").fetchall()
    assert last_week == [(None, "last_7_days", None, None)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("total_energy('2024-02-02', '2024-02-01')", "start_date must not be after end_date"),
        ("daily_load('x')", "start_date is not a date"),
        ("peak_hourly(load_profile := 'x')", "load_profile must be one of"),
        ("daily_average_last_7_days('x')", "load_profile must be one of"),
        ("user_hourly_load('Share-1')", "No data found for given user"),
    ],
)
def test_arguments_are_checked_without_data(opened, call, message):
    with pytest.raises(duckdb.InvalidInputException, match=message):
        opened.execute(f"select * from kpi.{call}").fetchall()
