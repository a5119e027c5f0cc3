"""The summary says what the warehouse holds, in a screenful."""

import shutil

import duckdb
import pytest
from click.testing import CliRunner

from ev_charging.summary import (
    COLUMNS,
    Places,
    build_summary,
    experiment_figures,
    feed_reconciliation,
    load_figures,
    rejected_rows,
    rows_per_mart,
    session_figures,
)
from summarise_build import summarise_build

LINES = 45

SMALL_WAREHOUSE = """
    create schema core;
    create schema load;
    create schema experiment;
    create schema quality;
    create schema staging;
    create table staging.stg_loads as select 1 as one;
    create table core.dim_user as
        select * from (values
            ('u1', 'residential'), ('u2', 'residential'), ('u3', 'experiment'), ('-', 'unknown')
        ) as users (user_key, source_system);
    create table core.fct_charging_sessions as
        select 'residential' as source_system, 'u1' as user_key,
            1000.25::decimal(18, 6) as energy_kwh,
            case when i = 0 then 'open' else 'succeeded' end as outcome
        from range(1234) as sessions (i);
    create table experiment.experiment_decision as
        select 'a_test' as experiment_id, 'signal' as treatment_variant, 'ship' as state,
            'It is better by so much that one line can''t hold the sentence that says so, whatever'
            || ' one does.' as reason, 'cuped' as decision_method,
            'low_price_share' as primary_metric;
    create table experiment.experiment_results as
        select 'a_test' as experiment_id, 'signal' as treatment_variant, * from (values
            ('low_price_share', 'primary', 'cuped', 0.2, 0.15, 0.25),
            ('low_price_share', 'primary', 'delta', 0.19, 0.09, 0.29),
            ('low_price_share', 'primary', 'naive_welch', 0.19, 0.14, 0.24),
            ('cost_per_kwh', 'guardrail', 'cuped', -0.1, -0.2, 0.1),
            ('energy_per_session', 'primary', 'cuped', null, null, null)
        ) as results (
            metric, role, method, relative_difference, relative_ci_low, relative_ci_high
        );
    create table load.load_kpis as
        select 'synthetic_7_2' as load_profile, date '2024-01-02' as first_date,
            date '2024-12-31' as last_date, 365 as days, 16 as users,
            17498.6::decimal(18, 6) as total_energy_kwh, 47.94 as avg_daily_energy_kwh,
            61.93 as avg_daily_energy_last_7_days_kwh,
            180.97::decimal(18, 6) as peak_daily_energy_kwh, date '2024-08-15' as peak_date,
            35.2::decimal(18, 6) as peak_hourly_load_kwh,
            timestamp '2024-08-15 20:00' as peak_hour_local_at,
            0.296 as utilization, 0.0568 as load_factor;
    create table quality.rejected_rows as
        select 'residential__hourly_loads' as feed,
            case when i < 2 then 'not_a_time' else 'missing_key' end as rejection_reason
        from range(1502) as rejected (i)
        union all
        select 'residential__charging_reports', 'negative_energy';
    create table quality.feed_reconciliation as
        select * from (values
            ('residential__hourly_loads', 17754::bigint, 16246::bigint, 3::bigint, 3::bigint,
                1502::bigint, 0::bigint),
            ('residential__charging_reports', 1339, 1338, 0, 0, 1, 0)
        ) as feeds (feed, rows_read, accepted_rows, duplicate_rows, superseded_rows,
            rejected_rows, unaccounted_rows);
"""


@pytest.fixture
def small():
    """Connection to a small warehouse in memory."""
    with duckdb.connect() as connection:
        connection.execute(SMALL_WAREHOUSE)
        yield connection


def words(lines):
    """Return each line without its alignment."""
    return [" ".join(line.split()) for line in lines]


def assert_fits_a_screen(result):
    """Assert that the command printed a screenful, without escape codes."""
    assert result.exit_code == 0, result.output
    assert len(result.output.splitlines()) <= LINES
    is_place = tuple("  " + name for name in ("warehouse", "plots", "docs site"))
    for line in result.output.splitlines():
        # The path of a warehouse is as long as it is.
        assert len(line) <= COLUMNS or line.startswith(is_place), line
    assert "\x1b" not in result.output


def add_arms(connection, number):
    """Add copies of the comparisons, as further arms."""
    for table in ("experiment_decision", "experiment_results"):
        connection.execute(
            f"""
            insert into experiment.{table}
            with compared as (select * from experiment.{table})
            select compared.* replace (treatment_variant || '_' || i as treatment_variant)
            from compared, range(1, {number + 1}) as arms (i)
            """
        )


def test_rows_are_counted_per_table_in_order(small):
    assert words(rows_per_mart(small)) == [
        "core dim_user 4, fct_charging_sessions 1,234",
        "load load_kpis 1",
        "experiment experiment_decision 1, experiment_results 5",
        "quality feed_reconciliation 2, rejected_rows 1,503",
    ]


def test_many_marts_are_wrapped_between_a_count_and_the_next_name(small):
    for number in range(9):
        small.execute(f"create table load.another_mart_{number} as select 1 as one")
    lines = [line for line in rows_per_mart(small) if "another_mart" in line]
    assert len(lines) > 1
    assert max(map(len, lines)) <= COLUMNS - 2
    assert [line.rstrip(",")[-1] for line in lines] == ["1"] * len(lines)


def test_rejected_rows_are_counted_by_feed_and_reason(small):
    assert words(rejected_rows(small)) == [
        "residential__charging_reports 1 negative_energy 1",
        "residential__hourly_loads 1,502 missing_key 1,500, not_a_time 2",
    ]


def test_no_rejected_rows_is_said(small):
    small.execute("delete from quality.rejected_rows")
    assert rejected_rows(small) == ["none"]


def test_many_reasons_are_cut_but_counted(small):
    small.execute(
        """
        create or replace table quality.rejected_rows as
        select 'a_feed' as feed, 'reason_' || i as rejection_reason
        from range(30) as reasons (i), range(30) as rows (j)
        where j <= i
        """
    )
    assert words(rejected_rows(small)) == ["a_feed 465 reason_29 30, reason_28 29, 28 more reasons"]


def test_each_feed_is_one_aligned_line(small):
    lines = feed_reconciliation(small)
    assert words(lines) == [
        "feed read accepted duplicate superseded rejected unaccounted",
        "residential__charging_reports 1,339 1,338 0 0 1 0",
        "residential__hourly_loads 17,754 16,246 3 3 1,502 0",
    ]
    assert len({len(line) for line in lines}) == 1


def test_a_count_that_is_missing_is_not_shown_as_zero(small):
    small.execute("update quality.feed_reconciliation set unaccounted_rows = null")
    assert feed_reconciliation(small)[1].endswith(" unknown")


def test_sessions_are_summed_by_source(small):
    lines = session_figures(small)
    assert words(lines) == [
        "experiment 0 sessions 0 open 0.0 kWh 1 users 0 with sessions",
        "residential 1,234 sessions 1 open 1,234,308.5 kWh 2 users 1 with sessions",
    ]
    assert len({len(line) for line in lines}) == 1


def test_an_experiment_has_its_decision_and_its_primaries(small):
    lines = experiment_figures(small)
    reason = small.sql("select reason from experiment.experiment_decision").fetchone()[0]
    assert " ".join(words(lines[:2])) == f"a_test, signal: ship. {reason}"
    assert words(lines[2:]) == [
        "low_price_share cuped +20.0 %, +15.0 % to +25.0 %; naive: +14.0 % to +24.0 %",
    ]
    assert max(map(len, lines)) <= COLUMNS - 2


def test_every_primary_of_a_single_comparison_is_shown(small):
    small.execute(
        """
        update experiment.experiment_results
        set relative_difference = 0.01
        where metric = 'energy_per_session'
        """
    )
    assert words(experiment_figures(small)[2:]) == [
        "energy_per_session cuped +1.0 %, no interval; naive: no interval",
        "low_price_share cuped +20.0 %, +15.0 % to +25.0 %; naive: +14.0 % to +24.0 %",
    ]


def test_of_many_comparisons_the_first_are_shown_and_the_others_counted(small):
    add_arms(small, 4)
    small.execute(
        """
        update experiment.experiment_decision
        set primary_metric = null
        where treatment_variant = 'signal_1'
        """
    )
    lines = words(experiment_figures(small))
    assert lines[0].startswith("a_test, signal: ship. It is better")
    assert lines[0].endswith(" ...")
    assert lines[1].startswith("low_price_share cuped +20.0 %")
    assert [line.split(".")[0] for line in lines[2:4]] == [
        "a_test, signal_1: ship",
        "a_test, signal_2: ship",
    ]
    assert lines[4].startswith("low_price_share cuped")
    assert lines[5:] == ["2 more in experiment.experiment_decision"]


def test_a_reason_without_end_is_cut(small):
    small.execute("update experiment.experiment_decision set reason = repeat('because ', 99)")
    lines = experiment_figures(small)
    assert lines[2].endswith("because ...")
    assert lines[3].split()[0] == "low_price_share"


def test_load_figures_have_units(small):
    assert words(load_figures(small, "synthetic_7_2")) == [
        "energy 17,498.6 kWh 2024-01-02 to 2024-12-31, 365 days, 16 users",
        "mean day 47.9 kWh last 7 days 61.9 kWh",
        "peak day 181.0 kWh 2024-08-15",
        "peak hour 35.2 kWh 2024-08-15 20:00 local time",
        "hours with charging 29.6 % load factor 5.7 %",
    ]


def test_a_load_of_zeros_has_no_load_factor(small):
    small.execute("update load.load_kpis set load_factor = null")
    assert words(load_figures(small, "synthetic_7_2"))[-1] == "hours with charging 29.6 %"


def test_empty_marts_are_summarised(small, tmp_path):
    for table in (
        "core.dim_user",
        "core.fct_charging_sessions",
        "load.load_kpis",
        "experiment.experiment_decision",
        "quality.feed_reconciliation",
    ):
        small.execute(f"delete from {table}")
    places = Places(tmp_path / "w.duckdb", tmp_path / "plots", tmp_path / "index.html")
    lines = {s.heading: words(s.lines) for s in build_summary(small, "synthetic_7_2", places)}
    assert lines["Charging sessions by source"] == ["none"]
    assert lines["Experiments"] == ["none"]
    assert ["no hourly loads"] in lines.values()
    assert lines["Feeds, in rows"] == ["none"]


def test_places_are_named_or_how_to_get_them(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    places = Places(tmp_path / "w.duckdb", tmp_path / "plots", tmp_path / "target" / "index.html")
    assert words(build_summary(small, "synthetic_7_2", places)[-1].lines) == [
        "warehouse w.duckdb",
        "plots not drawn yet: make build",
        "docs site not generated yet: make build",
    ]
    for path in (tmp_path / "plots" / "daily_load.png", places.docs):
        path.parent.mkdir()
        path.write_bytes(b"")
    assert words(build_summary(small, "synthetic_7_2", places)[-1].lines)[1:] == [
        "plots plots",
        "docs site target/index.html (make docs)",
    ]


def test_the_command_fits_a_screen_without_colours(warehouse):
    result = CliRunner().invoke(summarise_build, ["--warehouse", str(warehouse)])
    assert_fits_a_screen(result)


def test_many_experiments_fit_a_screen_too(warehouse, tmp_path):
    copy = tmp_path / "copy.duckdb"
    shutil.copy(warehouse, copy)
    with duckdb.connect(str(copy)) as connection:
        add_arms(connection, 9)
        connection.execute(
            "update experiment.experiment_decision set reason = repeat('because ', 99)"
        )
    result = CliRunner().invoke(summarise_build, ["--warehouse", str(copy)])
    assert_fits_a_screen(result)
    assert "more in experiment.experiment_decision" in result.output


def test_a_missing_warehouse_is_one_clear_line(tmp_path):
    result = CliRunner().invoke(summarise_build, ["--warehouse", str(tmp_path / "none.duckdb")])
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        f"Error: no warehouse at {tmp_path / 'none.duckdb'}: run dbt build first"
    ]


def test_a_missing_mart_is_one_clear_line(tmp_path):
    with duckdb.connect(str(tmp_path / "half.duckdb")) as connection:
        connection.execute(SMALL_WAREHOUSE)
        connection.execute("drop table quality.feed_reconciliation")
    result = CliRunner().invoke(summarise_build, ["--warehouse", str(tmp_path / "half.duckdb")])
    assert result.exit_code == 1
    assert len(result.output.splitlines()) == 1
    assert "feed_reconciliation" in result.output
