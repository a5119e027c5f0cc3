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
    fleet_lines,
    load_figures,
    network_lines,
    rows_per_schema,
    session_figures,
    telematics_lines,
)
from summarise_build import summarise_build

LINES = 45

SMALL_WAREHOUSE = """
    create schema core;
    create schema load;
    create schema experiment;
    create schema reliability;
    create schema fleet;
    create schema mobility;
    create schema quality;
    create schema staging;
    create schema intermediate;
    create table staging.stg_loads as select 1 as one;
    create table core.dim_user as
        select * from (values
            ('u1', 'residential'), ('u2', 'residential'), ('u3', 'experiment'), ('-', 'unknown')
        ) as users (user_key, source_system);
    create table core.dim_vehicle as
        select * from (values ('v1', 'telematics'), ('v2', 'telematics'), ('-', 'unknown'))
            as vehicles (vehicle_key, source_system);
    create table core.fct_charging_sessions as
        select 'residential' as source_system, 'u1' as user_key, '-' as vehicle_key,
            1000.25::decimal(18, 6) as energy_kwh,
            case when i = 0 then 'open' else 'succeeded' end as outcome
        from range(1234) as sessions (i)
        union all
        select 'telematics', '-', unnest(['v1', 'v1', '-']), 7.5, 'succeeded';
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
    create table reliability.station_reliability as
        select * from (values (900::bigint, 1000::bigint), (null, 0)) as stations (
            sessions_succeeded, sessions_known
        );
    create table reliability.station_comparison as
        select unnest(['worse', 'better', 'better', 'not_distinguishable']) as verdict;
    create table reliability.charge_success_kpis as
        select * from (values
            ('total', null, 'pooled', 2000::bigint, 1900::bigint, 1850::bigint, 1800::bigint, 24.4),
            ('total', date '2024-10-01', 'pooled', 9999, 9999, 9999, 9999, 9),
            ('total', null, 'remote_start', 9999, 9999, 9999, 9999, 9),
            ('site', null, 'pooled', 9999, 9999, 9999, 9999, 9)
        ) as kpis (
            scope, month_start_date, attempt_mode, finished_attempts, power_delivery_attempts,
            completed_power_deliveries, valid_stops, charge_start_seconds_p50
        );
    create table reliability.site_visits_daily as
        select 440::bigint as first_attempt_visits, 25::bigint as after_retries_visits,
            35::bigint as failed_visits
        from range(2);
    create table reliability.port_uptime_monthly as
        select * from (values
            ('a', date '2024-10-01', 9.0::decimal(18, 6), 0.0::decimal(18, 6), 10.0::decimal(18, 6),
                false),
            ('a', date '2024-11-01', 10, 8, 1000, true),
            ('b', date '2024-10-01', 32, 4, 500, false)
        ) as months (
            port_key, month_start_date, outage_minutes_12m, excluded_minutes_12m,
            denominator_minutes_12m, is_compliant
        );
    create table staging.stg_simulator__users as
        select * from (values ('smart', 'u1'), ('uncontrolled', 'u1'), ('uncontrolled', 'u2'))
            as users (run_id, user_id);
    create table fleet.controller_comparison as
        select * from (values
            ('smart', 'uncontrolled', 'cost_eur', -0.123),
            ('smart', 'uncontrolled', 'fleet_peak_kw', 0.4),
            ('drain', 'uncontrolled', 'cost_eur', 0.05),
            ('unknown', 'uncontrolled', 'cost_eur', null)
        ) as comparison (run_id, reference_run_id, metric, relative_difference);
    create table fleet.dispatch_delivery as
        select * from (values
            ('delivered', 6.0::decimal(18, 6), 5.5::decimal(18, 6), 4.0::decimal(18, 6)),
            ('delivered', 6.0, 5.0, null),
            ('delivered', null, 4.0, 3.0),
            ('not_acknowledged', null, null, null)
        ) as dispatches (status, delivered_kwh, true_delivered_kwh, rebound_kwh);
    create table fleet.simulation_validation as
        select * from (values
            ('reference_run', true), ('reference_run', true), ('reference_run', true),
            ('reference_run', false), ('reference_run', null), ('loaded', false)
        ) as figures (fleet, passes);
    create table mobility.session_indicators as
        select case when i < 8 then 'complete' when i = 8 then 'inferred' else 'incomplete' end
            as completeness
        from range(10) as sessions (i);
    create table mobility.drive_lengths_by_day as
        select * from (values (1500::bigint, 30::bigint), (500, 10)) as days (drives, long_drives);
    create table mobility.vehicle_type_consumption as
        select * from (values
            ('2025-05', 'car', 10::bigint, 99.0), ('2025-06', 'car', 400, 18.0),
            ('2025-06', 'van', 100, 25.0), ('2025-06', 'unknown', 0, null)
        ) as months (month, vehicle_type, judged_drives, kwh_per_100km_p50);
    create table intermediate.int_extracts__pseudonyms as
        select unnest(['environment', 'environment']) as key_source;
    create table quality.extract_audit as
        select i < 3 as is_published from range(4) as cells (i);
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
            ('residential__charging_reports', 1339, 1338, 0, 0, 1, 0),
            ('market__prices', 12, 12, 0, 0, 0, 0)
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
    is_place = tuple("  " + name for name in ("warehouse", "plots"))
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


def test_rows_are_counted_per_schema_in_order(small):
    assert " ".join(rows_per_schema(small)) == (
        "core 1,244 in 3 marts; load 1 in 1 mart; experiment 6 in 2 marts;"
        " reliability 15 in 5 marts; fleet 14 in 3 marts; mobility 16 in 3 marts;"
        " quality 1,510 in 3 marts"
    )


def test_empty_marts_are_counted(small):
    small.execute("delete from fleet.dispatch_delivery")
    small.execute("delete from load.load_kpis")
    told = " ".join(rows_per_schema(small))
    assert "load 0 in 1 mart (1 empty); " in told
    assert "fleet 10 in 3 marts (1 empty); " in told


def test_schemas_are_wrapped_between_one_and_the_next(small):
    lines = rows_per_schema(small)
    assert len(lines) > 1
    assert max(map(len, lines)) <= COLUMNS - 2
    assert all(line.endswith((";", "mart", "marts", "empty)")) for line in lines)


def test_each_feed_with_a_fault_is_one_aligned_line(small):
    section = feed_reconciliation(small)
    assert " ".join(section.heading.split()) == "Feeds, in rows read accepted repeated rejected"
    assert words(section.lines) == [
        "residential__charging_reports 1,339 1,338 0 1 negative_energy 1",
        "residential__hourly_loads 17,754 16,246 6 1,502 missing_key 1500, 1 more",
        "1 feed without a fault 12 12 0 0",
    ]
    # The lines are indented, the heading isn't.
    column = section.heading.index("rejected") + len("rejected") - 1 - 2
    assert all(line[column].isdigit() for line in section.lines)


def test_feeds_without_a_fault_are_one_line(small):
    small.execute("delete from quality.feed_reconciliation where feed <> 'market__prices'")
    small.execute(
        "insert into quality.feed_reconciliation values ('network__ports', 0, 0, 0, 0, 0, 0)"
    )
    assert words(feed_reconciliation(small).lines) == ["2 feeds without a fault 12 12 0 0"]


@pytest.mark.parametrize(("lost", "shown"), [("null", "unknown"), ("2", "2")])
def test_rows_that_are_lost_are_not_hidden(small, lost, shown):
    small.execute(f"update quality.feed_reconciliation set unaccounted_rows = {lost}")
    lines = words(feed_reconciliation(small).lines)
    assert lines[0].startswith("market__prices 12 12 0 0 unaccounted: " + shown)
    assert lines[1].endswith(f"unaccounted: {shown}; negative_energy 1")


def test_of_many_feeds_with_a_fault_those_with_most_bad_rows_are_shown(small):
    small.execute(
        """
        insert into quality.feed_reconciliation
        select 'network__' || chr(97 + i::integer), 20 + i, 10, i, 4, 6, 0
        from range(6) as feeds (i)
        """
    )
    small.execute(
        "insert into quality.feed_reconciliation values ('market__lost', 5, 5, 0, 0, 0, 1)"
    )
    lines = words(feed_reconciliation(small).lines)
    assert [line.split()[0] for line in lines[:-2]] == [
        "market__lost",
        "network__f",
        "residential__hourly_loads",
    ]
    assert lines[-2:] == [
        "6 feeds more with a fault 1,449 1,388 30 31",
        "1 feed without a fault 12 12 0 0",
    ]


def test_sessions_are_summed_by_source(small):
    lines = session_figures(small)
    assert words(lines) == [
        "experiment 0 sessions 0 open 0.0 kWh 1 users 0 with sessions",
        "residential 1,234 sessions 1 open 1,234,308.5 kWh 2 users 1 with sessions",
        "telematics 3 sessions 0 open 22.5 kWh 2 vehicles 1 with sessions",
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
    lines = words(experiment_figures(small))
    assert [line.split(".")[0] for line in lines[:3]] == [
        "a_test, signal: ship",
        "a_test, signal_1: ship",
        "a_test, signal_2: ship",
    ]
    assert lines[0].endswith(" ...")
    assert lines[3:] == ["2 more in experiment.experiment_decision"]


def test_a_reason_without_end_is_cut(small):
    small.execute("update experiment.experiment_decision set reason = repeat('because ', 99)")
    lines = experiment_figures(small)
    assert lines[1].endswith("because ...")
    assert lines[2].split()[0] == "low_price_share"


def test_the_network_has_a_line_per_subject(small):
    assert words(network_lines(small)) == [
        "sessions 90.0 % of 1,000 with a known outcome succeeded; stations reliably worse 1,"
        " better 2",
        "attempts 90.0 % of 2,000 succeeded; 95.0 % got power, half of them within 24 s",
        "visits 88.0 % of 1,000 succeeded at the first attempt, 5.0 % after retries, 7.0 % failed",
        # 10 - 8 and 32 - 4 minutes of 1,500: the last month of each port
        "uptime 98.0 % of 2 ports to November 2024; below what is required 1",
    ]
    assert max(map(len, network_lines(small))) <= COLUMNS - 2


def test_a_network_that_only_sends_messages_or_only_a_list_is_summarised(small):
    small.execute("update reliability.charge_success_kpis set charge_start_seconds_p50 = null")
    small.execute("delete from reliability.port_uptime_monthly")
    assert [line.split()[0] for line in network_lines(small)] == [
        "sessions",
        "attempts",
        "visits",
    ]
    assert network_lines(small)[1].endswith("95.0 % got power")


def test_the_fleet_has_a_line_per_subject(small):
    assert words(fleet_lines(small)) == [
        "cars 2 in 2 runs, each with sessions of its own",
        "controller -12.3 % cost of smart against uncontrolled, peak +40.0 %",
        "dispatches 75.0 % of 4 calls delivered;"
        " 12 kWh by baseline, 14 kWh in truth, 7 kWh rebound",
        "simulator 75.0 % of 4 figures of the built-in check fleet are near real ones",
    ]
    small.execute("update fleet.controller_comparison set run_id = repeat(run_id, 9)")
    assert max(map(len, fleet_lines(small))) <= COLUMNS - 2


def test_a_fleet_of_one_run_without_prices_and_baselines_is_summarised(small):
    small.execute("delete from staging.stg_simulator__users where run_id = 'smart'")
    small.execute("delete from fleet.controller_comparison")
    small.execute("update fleet.dispatch_delivery set delivered_kwh = null, rebound_kwh = null")
    small.execute("update fleet.dispatch_delivery set true_delivered_kwh = null")
    assert words(fleet_lines(small)) == [
        "cars 2 in 1 run",
        "dispatches 75.0 % of 4 calls delivered; no energy is known",
        "simulator 75.0 % of 4 figures of the built-in check fleet are near real ones",
    ]


def test_driving_and_charging_logs_have_a_line_per_subject(small):
    assert words(telematics_lines(small)) == [
        "sessions 80.0 % of 10 rebuilt are complete; inferred from the state of charge 1",
        "drives 2.0 % of 2,000 are long; van takes most, median 25.0 kWh per 100 km",
        "extracts 75.0 % of 4 cells may be published; pseudonyms by the key in EV_PSEUDONYM_KEY",
    ]
    small.execute("update mobility.vehicle_type_consumption set vehicle_type = repeat('van', 99)")
    assert max(map(len, telematics_lines(small))) <= COLUMNS - 2


def test_a_key_that_nobody_gave_is_told(small):
    small.execute("insert into intermediate.int_extracts__pseudonyms values ('ephemeral')")
    extracts = telematics_lines(small)[-1]
    assert extracts.endswith("; pseudonyms of this build, no EV_PSEUDONYM_KEY")
    assert len(extracts) <= COLUMNS - 2


def test_logs_without_a_consumption_or_pseudonyms_are_summarised(small):
    small.execute("update mobility.vehicle_type_consumption set kwh_per_100km_p50 = null")
    small.execute("delete from intermediate.int_extracts__pseudonyms")
    assert [line.split("are long")[-1] for line in telematics_lines(small)[1:]] == [
        "",
        "extracts 75.0 %   of 4 cells may be published",
    ]


def test_load_figures_have_units(small):
    assert words(load_figures(small, "synthetic_7_2")) == [
        "energy 17,498.6 kWh 2024-01-02 to 2024-12-31, 365 days, 16 users",
        "mean day 47.9 kWh last 7 days 61.9 kWh, peak day 181.0 kWh on 2024-08-15",
        "peak hour 35.2 kWh 2024-08-15 20:00 local time, load factor 5.7 %,"
        " 29.6 % of the hours used",
    ]


def test_a_load_of_zeros_has_no_load_factor(small):
    small.execute("update load.load_kpis set load_factor = null")
    line = words(load_figures(small, "synthetic_7_2"))[-1]
    assert line.endswith("local time, 29.6 % of the hours used")


def test_empty_marts_are_summarised(small, tmp_path):
    for table in (
        "core.dim_user",
        "core.dim_vehicle",
        "core.fct_charging_sessions",
        "load.load_kpis",
        "experiment.experiment_decision",
        "reliability.station_reliability",
        "reliability.station_comparison",
        "reliability.charge_success_kpis",
        "reliability.site_visits_daily",
        "reliability.port_uptime_monthly",
        "staging.stg_simulator__users",
        "fleet.controller_comparison",
        "fleet.dispatch_delivery",
        "fleet.simulation_validation",
        "mobility.session_indicators",
        "mobility.drive_lengths_by_day",
        "mobility.vehicle_type_consumption",
        "quality.extract_audit",
        "quality.feed_reconciliation",
    ):
        small.execute(f"delete from {table}")
    places = Places(tmp_path / "w.duckdb", tmp_path / "plots", tmp_path / "index.html")
    lines = {s.heading: words(s.lines) for s in build_summary(small, "synthetic_7_2", places)}
    assert lines["Charging sessions by source"] == ["none"]
    assert lines["Experiments"] == ["none"]
    assert lines["Charging network"] == ["none"]
    assert lines["Simulated fleets"] == ["none"]
    assert lines["Driving and charging logs"] == ["none"]
    assert ["no hourly loads"] in lines.values()
    assert lines["Feeds, in rows"] == ["none"]


def test_places_are_named_or_how_to_get_them(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    places = Places(tmp_path / "w.duckdb", tmp_path / "plots", tmp_path / "target" / "index.html")
    assert words(build_summary(small, "synthetic_7_2", places)[-1].lines) == [
        "warehouse w.duckdb",
        "plots not there yet (make build); docs site not there yet (make build)",
    ]
    for path in (tmp_path / "plots" / "daily_load.png", places.docs):
        path.parent.mkdir()
        path.write_bytes(b"")
    assert words(build_summary(small, "synthetic_7_2", places)[-1].lines)[1:] == [
        "plots plots; docs site target/index.html (make docs)",
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
