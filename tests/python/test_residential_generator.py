"""The residential generator: published rule, published format, bad rows and large feeds."""

import csv
import os
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from ev_charging.residential.bad_rows import damaged_loads
from ev_charging.residential.charging_reports import (
    in_order_of_plugin,
    neighbourhood_sessions,
    overlaps,
    user_sessions,
)
from ev_charging.residential.hourly_loads import NO_DURATION, closing_residues, hourly_loads
from ev_charging.residential.large_feed import write_large_feed
from ev_charging.residential.local_clock import HOUR_S, LocalClock
from ev_charging.residential.neighbourhood import large_neighbourhood, seed_neighbourhood
from ev_charging.residential.published_format import (
    LOAD_COLUMNS,
    REPORT_COLUMNS,
    duration_category,
    hours_text,
    kwh_text,
    load_rows,
    month_name,
    plugin_category,
    residue_text,
    stamps,
    weekday_name,
    write_rows,
)
from ev_charging.residential.seeds import LOADS_FILE, REPORTS_FILE, seed_feeds, write_seeds
from ev_charging.residential.special_sessions import GUESTS, with_special_sessions
from generate_residential import SEEDS_FOLDER, generate_residential

YEAR, SEED = 2024, 42
VALUES = ("synthetic_3_6_wh", "synthetic_7_2_wh", "flex_3_6_wh", "flex_7_2_wh")
PUBLISHED_VALUES = LOAD_COLUMNS[4:]
STAMP = "%d.%m.%Y %H:%M"
DECIMAL = re.compile(r"-?\d+(,\d+)?(E-?\d+)?")

energies_wh = st.integers(0, 8000).map(lambda steps: 10 * steps)
durations_s = st.one_of(st.just(NO_DURATION), st.integers(1, 20 * 86_400))
plugins_s = st.integers(1_700_000_000, 1_740_000_000)


@pytest.fixture(scope="module")
def clock():
    return LocalClock.of_year(YEAR)


@pytest.fixture(scope="module")
def feeds():
    return seed_feeds(YEAR, SEED)


@pytest.fixture(scope="module")
def sessions(clock):
    users = (*seed_neighbourhood(), *GUESTS)
    regular = neighbourhood_sessions(seed_neighbourhood(), clock, YEAR, SEED)
    return with_special_sessions(regular, users, clock, YEAR)


def as_dicts(columns, rows):
    return [dict(zip(columns, row, strict=True)) for row in rows]


@pytest.fixture(scope="module")
def good_reports(feeds):
    return good_rows(REPORT_COLUMNS, feeds[0])


@pytest.fixture(scope="module")
def good_loads(feeds):
    return good_rows(LOAD_COLUMNS, feeds[1])


def good_rows(columns, feed):
    """Return the rows of a feed without the bad ones, the last version of each key."""
    bad_ids = {key for kind, key in feed.bad if kind not in ("exact_duplicate", "superseded")}
    rows = {}
    for row in as_dicts(columns, feed.rows):
        is_spacer = row["User_ID"] == "NA"
        if is_spacer or row["session_ID"] not in bad_ids:
            rows[row["session_ID"], row.get("date_from"), row.get("date_to")] = row
    return list(rows.values())


# --- the rule --------------------------------------------------------------------------------


def one_session(plugin, energy_wh, duration_s):
    plugin_s = int(datetime.strptime(plugin, "%H:%M").replace(2024, 6, 3, tzinfo=UTC).timestamp())
    loads = hourly_loads(np.array([plugin_s]), np.array([energy_wh]), np.array([duration_s]), None)
    rows = zip(loads.hour % 24, *(getattr(loads, value) for value in VALUES), strict=True)
    return [tuple(int(value) for value in row) for row in rows]


def test_a_session_is_charged_from_the_plugin_on_and_its_idle_energy_follows():
    assert one_session("16:30", 5000, 3 * HOUR_S) == [
        (16, 1800, 3600, 0, 0),
        (17, 3200, 1400, 400, 5800),
        (18, 0, 0, 3600, 7200),
        (19, 0, 0, 1800, 3600),
    ]


def test_in_the_plugin_hour_the_whole_hour_is_free():
    assert one_session("16:50", 300, HOUR_S) == [
        (16, 300, 300, 3300, 6900),
    ]


def test_a_session_without_a_duration_has_no_flexible_load():
    assert one_session("16:00", 3600, NO_DURATION) == [(16, 3600, 3600, 0, 0)]


def test_an_end_of_charging_within_the_last_half_minute_fills_from_the_next_hour():
    rows = one_session("16:10", 6590, 3 * HOUR_S)  # at 3.6 kW until 17:59:50
    assert [row[3] for row in rows] == [0, 0, 10, 3600, 600]


def test_charging_that_ends_on_the_hour_leaves_a_residue_and_an_empty_hour():
    plugin_s = np.array([int(datetime(2024, 6, 3, 15, 14, tzinfo=UTC).timestamp())])
    energy_wh, duration_s = np.array([6360]), np.array([10_738])
    session, hour, residue_kwh = closing_residues(plugin_s, energy_wh, duration_s, 1)
    assert (session.tolist(), (hour % 24).tolist()) == ([0], [17])
    assert [residue_text(value) for value in residue_kwh] == ["4,00E-16"]
    assert len(closing_residues(plugin_s, energy_wh - 10, duration_s, 1)[0]) == 0


@given(plugins_s, energies_wh, durations_s)
def test_synthetic_loads_sum_to_the_energy_and_never_exceed_the_power(plugin_s, energy, duration):
    loads = hourly_loads(*(np.array([value]) for value in (plugin_s, energy, duration)))
    for name, power_wh in (("synthetic_3_6_wh", 3600), ("synthetic_7_2_wh", 7200)):
        values = getattr(loads, name)
        assert values.sum() == energy
        assert np.all((values >= 0) & (values <= power_wh))


@given(plugins_s, energies_wh, durations_s)
def test_flexible_loads_sum_to_the_idle_energy(plugin_s, energy, duration):
    loads = hourly_loads(*(np.array([value]) for value in (plugin_s, energy, duration)))
    for name, wh_per_s in (("flex_3_6_wh", 1), ("flex_7_2_wh", 2)):
        values = getattr(loads, name)
        idle = 0 if duration == NO_DURATION else max(wh_per_s * duration - energy, 0)
        assert values.sum() == idle
        assert np.all((values >= 0) & (values <= 3600 * wh_per_s))


@given(st.lists(st.tuples(plugins_s, energies_wh, durations_s), min_size=1, max_size=8))
def test_many_sessions_at_once_give_the_rows_of_each_alone(many):
    columns = [np.array(column) for column in zip(*many, strict=True)]
    together = hourly_loads(*columns)
    keys = list(zip(together.session.tolist(), together.hour.tolist(), strict=True))
    assert keys == sorted(set(keys))
    for index in range(len(many)):
        alone = hourly_loads(*(column[index : index + 1] for column in columns))
        part = together.take(together.session == index)
        for name in ("hour", *VALUES):
            np.testing.assert_array_equal(getattr(part, name), getattr(alone, name))


def test_wrong_arguments_of_the_rule_are_refused():
    with pytest.raises(ValueError, match="same shape"):
        hourly_loads(np.array([0]), np.array([0, 10]), np.array([0]))
    for energy_wh in (-10, 5):
        with pytest.raises(ValueError, match="even number of Wh"):
            hourly_loads(np.array([0]), np.array([energy_wh]), np.array([0]))


# --- the clock -------------------------------------------------------------------------------


@given(st.integers(1_704_063_600, 1_735_685_999))
def test_local_times_lead_back_to_their_instant_except_in_the_repeated_hour(utc_s):
    clock = LocalClock.of_year(YEAR)
    back = int(clock.utc_seconds(clock.local_seconds(utc_s)))
    is_first_occurrence = utc_s // HOUR_S in clock.lost_hours()
    assert back == utc_s + HOUR_S * is_first_occurrence


def test_the_clock_knows_both_changes(clock):
    spring, autumn = clock.changes_s(forward=True), clock.changes_s(forward=False)
    assert [stamps(clock.local_seconds(spring + shift)) for shift in (-1, 0)] == [
        ["31.03.2024 01:59"],
        ["31.03.2024 03:00"],
    ]
    assert [stamps(clock.local_seconds(autumn + shift)) for shift in (-1, 0)] == [
        ["27.10.2024 02:59"],
        ["27.10.2024 02:00"],
    ]
    with pytest.raises(ValueError, match="time zone"):
        LocalClock.between(datetime(2024, 1, 1), datetime(2024, 2, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="end after"):
        LocalClock.between(datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC))


# --- the text --------------------------------------------------------------------------------


def test_numbers_are_written_as_in_the_publication():
    assert [kwh_text(wh) for wh in (0, 10, 300, 870, 3600, 2411, 63_300, 7000)] == [
        *("0", "0,01", "0,3", "0,87", "3,6", "2,411", "63,3", "7"),
    ]
    assert [hours_text(s) for s in (180, 492, 29_579, 87_911, 918_106, 10_800)] == [
        *("0,05", "0,136666667", "8,216388889", "24,41972222", "255,0294444", "3"),
    ]


def test_values_that_would_need_quotes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="quoting"):
        write_rows(tmp_path / "loads.csv", ("a",), [["1;2"]])


def test_derived_columns_follow_from_the_stamps(good_reports):
    for report in good_reports:
        start = datetime.strptime(report["Start_plugin"], STAMP)
        local_s = int(start.replace(tzinfo=UTC).timestamp())
        assert report["Start_plugin_hour"] == str(start.hour)
        assert report["month_plugin"] == start.strftime("%b") == month_name(local_s)
        assert report["weekdays_plugin"] == start.strftime("%A") == weekday_name(local_s)
        assert report["Plugin_category"] == plugin_category(start.hour)
        end, duration = report["End_plugout"], report["Duration_hours"]
        assert (end == "NA") == (duration == "NA") == (report["Duration_category"] == "NA")
        if end != "NA":
            assert report["End_plugout_hour"] == str(datetime.strptime(end, STAMP).hour)
            seconds = round(float(duration.replace(",", ".")) * HOUR_S)
            assert duration == hours_text(seconds)
            assert report["Duration_category"] == duration_category(seconds)


# --- users and sessions ----------------------------------------------------------------------


def test_another_user_changes_no_other_user(clock):
    for users in (seed_neighbourhood(), large_neighbourhood(0, 30)):
        fewer = neighbourhood_sessions(users[:-1], clock, YEAR, SEED)
        more = neighbourhood_sessions(users, clock, YEAR, SEED)
        expected, got = (
            in_order_of_plugin(part.take(part.user < len(users) - 1)) for part in (fewer, more)
        )
        np.testing.assert_array_equal(got.plugin_s, expected.plugin_s)
        np.testing.assert_array_equal(got.energy_wh, expected.energy_wh)


def test_a_user_is_the_same_in_any_shard(clock):
    user = large_neighbourhood(7, 1)[0]
    assert user == large_neighbourhood(0, 10)[7]
    alone = user_sessions(user, 7, clock, YEAR, SEED)
    among = neighbourhood_sessions(large_neighbourhood(0, 10), clock, YEAR, SEED)
    np.testing.assert_array_equal(alone.plugin_s, among.plugin_s[among.user == 7])


def test_no_charge_point_is_used_twice_at_once_except_by_the_intended_pair(sessions):
    users = (*seed_neighbourhood(), *GUESTS)
    points = np.array([user.charge_point for user in users])[sessions.user]
    overlapping = []
    for point in set(points):
        at_point = sessions.take(points == point)
        for index in range(len(at_point)):
            others = at_point.take(np.arange(len(at_point)) != index)
            if overlaps(at_point.take(np.array([index])), others)[0]:
                overlapping.append(point)
    assert overlapping == ["Eng2-2", "Eng2-2"]


def test_the_figures_are_those_of_a_real_neighbourhood(clock):
    many = neighbourhood_sessions(large_neighbourhood(0, 400), clock, YEAR, SEED)
    energy_kwh, hours = many.energy_wh / 1000, many.duration_s / HOUR_S
    assert 12 < energy_kwh.mean() < 14
    assert 8 < np.median(energy_kwh) < 10
    assert 10 < hours.mean() < 13
    per_week = np.bincount(many.user) / 52.3
    assert 2.8 < per_week.mean() < 3.6
    assert np.percentile(per_week, 90) > 5 * np.percentile(per_week, 10)
    plugin_hour = clock.local_seconds(many.plugin_s) // HOUR_S % 24
    assert np.mean((plugin_hour >= 15) & (plugin_hour < 24)) > 0.6
    # Nothing charges faster than the plug-in allows.
    assert np.all(many.energy_wh <= 2 * many.duration_s)


# --- the seeds -------------------------------------------------------------------------------


def test_the_seeds_on_disk_are_what_the_script_writes(tmp_path):
    write_seeds(tmp_path, YEAR, SEED)
    for name in (REPORTS_FILE, LOADS_FILE):
        written = (tmp_path / name).read_bytes()
        assert written == (SEEDS_FOLDER / name).read_bytes()
        assert b"\r" not in written
        assert b'"' not in written
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([REPORTS_FILE, LOADS_FILE])


def test_another_seed_gives_other_sessions(feeds):
    assert seed_feeds(YEAR, SEED + 1)[0].rows != feeds[0].rows


def test_the_seeds_stay_small(feeds):
    assert 1300 <= len(feeds[0].rows) <= 1600
    assert len(feeds[1].rows) <= 21_000
    assert sum((SEEDS_FOLDER / name).stat().st_size for name in (REPORTS_FILE, LOADS_FILE)) < 1.6e6


def test_every_line_has_the_fields_of_its_header(feeds):
    for name, columns in ((REPORTS_FILE, REPORT_COLUMNS), (LOADS_FILE, LOAD_COLUMNS)):
        with (SEEDS_FOLDER / name).open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file, delimiter=";", quoting=csv.QUOTE_NONE))
        assert tuple(lines[0]) == columns
        assert {len(line) for line in lines} == {len(columns)}


def test_hourly_loads_keep_the_energy_of_each_session(good_reports, good_loads, sessions, clock):
    charged = {name: defaultdict(Fraction) for name in PUBLISHED_VALUES[:2]}
    for load in good_loads:
        for name, sums in charged.items():
            if load[name] != "NA":
                sums[load["session_ID"]] += Fraction(load[name].replace(",", "."))
    lost = hourly_loads(sessions.plugin_s, sessions.energy_wh, sessions.reported_duration_s)
    lost = lost.take(np.isin(lost.hour, clock.lost_hours()))
    lost_kwh = {
        name: dict(zip((lost.session + 1).tolist(), getattr(lost, value).tolist(), strict=True))
        for name, value in zip(charged, VALUES[:2], strict=True)
    }
    for report in good_reports:
        key = report["session_ID"]
        for name, sums in charged.items():
            missing = Fraction(lost_kwh[name].get(int(key), 0), 1000)
            assert sums[key] + missing == Fraction(report["El_kWh"].replace(",", "."))
    assert sum(value > 0 for value in lost_kwh["Synthetic_7_2kW"].values()) >= 2


def test_every_hour_appears_and_the_repeated_one_only_once(good_loads):
    hours = Counter((load["date_from"], load["date_to"]) for load in good_loads)
    keys = list(hours)
    assert all(a[1] == b[0] for a, b in zip(keys, keys[1:], strict=False))
    assert hours["31.03.2024 01:00", "31.03.2024 03:00"] > 0
    assert hours["27.10.2024 02:00", "27.10.2024 02:00"] == 1
    assert hours["27.10.2024 02:00", "27.10.2024 03:00"] > 1
    spacers = [load for load in good_loads if load["User_ID"] == "NA"]
    assert len(spacers) > 1000
    assert all(set(list(load.values())[2:]) == {"NA"} for load in spacers)
    assert all(hours[load["date_from"], load["date_to"]] == 1 for load in spacers)


def test_within_an_hour_sessions_are_in_order(good_loads):
    previous = ("", 0)
    for load in good_loads:
        if load["session_ID"] != "NA":
            hour, session = load["date_from"] + load["date_to"], int(load["session_ID"])
            assert hour != previous[0] or session > previous[1]
            previous = (hour, session)


def test_some_residues_are_natural(good_loads):
    residues = [value for load in good_loads for value in load.values() if "E-" in value]
    assert residues
    assert all(re.fullmatch(r"\d,\d\dE-1[56]", value) for value in residues)


def test_odd_but_possible_sessions_are_present(good_reports):
    def naive_minus_reported(report):
        start, end = (datetime.strptime(report[c], STAMP) for c in ("Start_plugin", "End_plugout"))
        naive = (end - start).total_seconds() / HOUR_S
        return naive - float(report["Duration_hours"].replace(",", "."))

    closed = [report for report in good_reports if report["End_plugout"] != "NA"]
    assert 3 <= len(good_reports) - len(closed) <= 20
    in_fold = [r for r in good_reports if r["Start_plugin"].startswith("27.10.2024 02:")]
    assert [r["End_plugout"] == "NA" for r in in_fold] == [False, True]
    assert round(naive_minus_reported(in_fold[0])) == -1
    away_from_changes = [r for r in closed if not re.match(r"\d\d\.(03|10)", r["Start_plugin"])]
    wrong = [hours for r in away_from_changes if abs(hours := naive_minus_reported(r)) > 0.04]
    assert [round(hours) for hours in wrong] == [-1, -1, -1, 2, 2, 2]
    assert sum(float(r["Duration_hours"].replace(",", ".")) > 14 * 24 for r in closed) == 1
    assert sum(r["El_kWh"] == "0" and r["Duration_hours"] != "NA" for r in closed) == 1
    assert {user.user_id for user in GUESTS} <= {r["User_ID"] for r in good_reports}
    assert {r["Shared_ID"] for r in good_reports} == {"NA", "Shared-1", "Shared-2"}


# --- bad rows --------------------------------------------------------------------------------


def judge(row, time_columns, value_columns, limit_kwh):
    """Return what is wrong with a row, as a reader of the format would find it."""
    if row["session_ID"] == "NA":
        return "missing_key"
    for column in value_columns:
        text = row[column]
        if text == "NA":
            continue
        if re.fullmatch(r"-?(Inf|NaN|1e400)", text):
            return "not_finite"
        if re.fullmatch(r"-?1e308", text):
            return "out_of_range"
        if not DECIMAL.fullmatch(text):
            return "not_a_number"
        value = float(text.replace(",", "."))
        if value < 0:
            return "negative_energy"
        if column != "Duration_hours" and value > limit_kwh(row, column):
            return "implausible_energy"
    times = []
    for column in time_columns:
        if row[column] == "NA":
            continue
        try:
            times.append(datetime.strptime(row[column], STAMP))
        except ValueError:
            return "not_a_time"
    if any(not 2000 <= time.year <= 2100 for time in times):
        return "time_out_of_range"
    if any((t.month, t.day, t.hour) == (3, 31, 2) for t in times):
        return "nonexistent_time"
    return "end_before_start" if times != sorted(times) else None


def report_limit_kwh(row, _):
    duration = row["Duration_hours"]
    if not DECIMAL.fullmatch(duration):
        return float("inf")
    return 22 * 1.2 * float(duration.replace(",", "."))


def load_limit_kwh(_, column):
    return 1.2 * (3.6 if "3_6" in column else 7.2)


@pytest.mark.parametrize(
    ("feed_index", "columns", "times", "values", "limit"),
    [
        (
            0,
            REPORT_COLUMNS,
            ("Start_plugin", "End_plugout"),
            ("El_kWh", "Duration_hours"),
            report_limit_kwh,
        ),
        (1, LOAD_COLUMNS, ("date_from", "date_to"), PUBLISHED_VALUES, load_limit_kwh),
    ],
)
def test_bad_rows_of_each_kind_are_present(feeds, feed_index, columns, times, values, limit):
    feed = feeds[feed_index]
    announced = Counter(kind for kind, _ in feed.bad)
    found, by_key = Counter(), defaultdict(list)
    for row in as_dicts(columns, feed.rows):
        if row["User_ID"] == "NA":
            continue
        reason = judge(row, times, values, limit)
        if reason:
            found[reason] += 1
        else:
            by_key[row["session_ID"], row.get("date_from"), row.get("date_to")].append(row)
    for versions in by_key.values():
        if len(versions) > 1:
            found["exact_duplicate" if versions[0] == versions[1] else "superseded"] += 1
    assert found == announced
    assert set(announced) == {
        *("missing_key", "not_a_number", "not_finite", "out_of_range", "negative_energy"),
        *("implausible_energy", "end_before_start", "time_out_of_range", "not_a_time"),
        *("nonexistent_time", "exact_duplicate", "superseded"),
    }
    assert min(announced.values()) >= 2


def test_bad_rows_have_ids_of_their_own(feeds, sessions):
    own = [
        int(key)
        for feed in feeds
        for kind, key in feed.bad
        if kind not in ("missing_key", "exact_duplicate", "superseded")
    ]
    assert len(set(own)) == len(own)
    assert min(own) > len(sessions)


def test_outdated_values_come_before_the_right_ones(feeds, sessions):
    reports = as_dicts(REPORT_COLUMNS, feeds[0].rows)
    for kind, key in feeds[0].bad:
        if kind == "superseded":
            outdated, right = (r["El_kWh"] for r in reports if r["session_ID"] == key)
            assert right == kwh_text(sessions.energy_wh[int(key) - 1]) != outdated


def test_too_few_rows_to_damage_are_refused(clock, sessions):
    users = (*seed_neighbourhood(), *GUESTS)
    few = load_rows(sessions.take(np.arange(3)), users, clock)
    with pytest.raises(ValueError, match="bad rows need"):
        damaged_loads(few, clock, next_id=4)


# --- large feeds -----------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 5_000, 60_000])
def test_a_large_feed_has_exactly_the_rows_asked_for_in_both_formats(tmp_path, rows):
    frames = []
    for file_format in ("csv", "parquet"):
        result = CliRunner().invoke(
            generate_residential,
            ["--rows", str(rows), "--format", file_format, "--output", str(tmp_path)],
        )
        assert result.exit_code == 0, result.output
        path = str(tmp_path / f"hourly_loads.{file_format}")
        source = (
            duckdb.read_csv(path, sep=";", all_varchar=True, na_values="no such text")
            if file_format == "csv"
            else duckdb.read_parquet(path)
        )
        assert {str(kind) for kind in source.types} == {"VARCHAR"}
        frames.append(source.df())
    assert len(frames[0]) == rows
    assert tuple(frames[0].columns) == LOAD_COLUMNS
    pd.testing.assert_frame_equal(*frames)
    hours = pd.to_datetime(frames[0]["date_from"], format=STAMP)
    assert hours.is_monotonic_increasing
    assert {path.name for path in tmp_path.iterdir()} == {
        "hourly_loads.csv",
        "hourly_loads.parquet",
    }


def test_a_large_feed_repeats_itself_and_follows_the_rule(tmp_path, clock):
    paths = [write_large_feed(tmp_path / name, 30_000, "csv", YEAR, SEED) for name in ("a", "b")]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    lines = [line.split(";") for line in paths[0].read_text().splitlines()[1:]]
    users = large_neighbourhood(0, 400)
    user_ids = {line[2] for line in lines} - {"NA"}
    count = 1 + max(index for index, user in enumerate(users) if user.user_id in user_ids)
    drawn = in_order_of_plugin(neighbourhood_sessions(users[:count], clock, YEAR, SEED))
    expected = load_rows(drawn, users, clock)[: len(lines)]
    differing = [
        (a, b) for a, b in zip(lines, expected, strict=True) if a != b and "E-" not in str(b)
    ]
    assert not differing


def test_wrong_arguments_of_a_large_feed_are_refused(tmp_path):
    with pytest.raises(ValueError, match="at least one row"):
        write_large_feed(tmp_path, 0, "csv", YEAR, SEED)
    with pytest.raises(ValueError, match="format"):
        write_large_feed(tmp_path, 1, "xlsx", YEAR, SEED)


# --- the command -----------------------------------------------------------------------------


def test_the_command_writes_both_seeds(tmp_path):
    result = CliRunner().invoke(generate_residential, ["--output", str(tmp_path / "new")])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "new" / REPORTS_FILE).exists()
    assert (tmp_path / "new" / LOADS_FILE).exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--rows", "0"],
        ["--rows", "many"],
        ["--rows", "10", "--format", "xlsx"],
        ["--format", "csv"],
        ["--seed", "-1"],
        ["--year", "24"],
    ],
)
def test_wrong_arguments_of_the_command_are_refused(tmp_path, arguments):
    result = CliRunner().invoke(generate_residential, [*arguments, "--output", str(tmp_path)])
    assert result.exit_code == 2
    assert result.output.strip().splitlines()[-1].startswith("Error: ")
    assert not list(tmp_path.iterdir())


def test_an_output_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(generate_residential, ["--output", str(tmp_path / "file" / "x")])
    assert result.exit_code == 1
    assert result.output.startswith("Error: can't write into")


# --- the published data ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def published():
    folder = os.environ.get("EV_REAL_DATA")
    if not folder:
        pytest.skip("EV_REAL_DATA is not set: the published data are not at hand")
    return Path(folder) / "trondheim"


def read_published(path):
    return pd.read_csv(path, sep=";", decimal=",")


def local_s(texts):
    return pd.to_datetime(texts, format=STAMP).to_numpy().astype("datetime64[s]").astype(np.int64)


@pytest.fixture(scope="module")
def rebuilt(published):
    """Return data set 2, rebuilt from data set 1, indexed by hour and session."""
    reports = read_published(published / "Dataset 1_EV charging reports.csv")
    span = LocalClock.between(datetime(2018, 12, 1, tzinfo=UTC), datetime(2020, 3, 1, tzinfo=UTC))
    durations = (reports["Duration_hours"] * HOUR_S).round()
    loads = hourly_loads(
        span.utc_seconds(local_s(reports["Start_plugin"])),
        (reports["El_kWh"] * 1000).round().to_numpy(dtype=np.int64),
        durations.fillna(NO_DURATION).to_numpy(dtype=np.int64),
        span.lost_hours(),
    )
    pairs = zip(PUBLISHED_VALUES, VALUES, strict=True)
    frame = pd.DataFrame({name: getattr(loads, value) / 1000 for name, value in pairs})
    frame["hour"] = span.local_seconds(loads.hour * HOUR_S)
    frame["session"] = reports["session_ID"].to_numpy()[loads.session]
    return frame.set_index(["hour", "session"])


def differing_rows(rebuilt, given, how):
    given = given.dropna(subset=["session_ID"])
    given = given.assign(hour=local_s(given["date_from"]), session=given["session_ID"].astype(int))
    given = given.set_index(["hour", "session"])[list(PUBLISHED_VALUES)]
    both = rebuilt.add_suffix("_rebuilt").join(given, how=how).fillna(0)
    gaps = [(both[f"{name}_rebuilt"] - both[name]).abs() > 2e-3 for name in PUBLISHED_VALUES]
    return int(np.logical_or.reduce(gaps).sum()), len(both)


def test_the_rule_rebuilds_the_published_hourly_loads(published, rebuilt):
    name = "Dataset 2_Hourly EV loads - Per user.RECONSTRUCTED.csv"
    differing, rows = differing_rows(rebuilt, read_published(published / name), "outer")
    assert rows > 87_000
    assert differing / rows <= 0.006


def test_the_rule_rebuilds_the_sample_of_the_original(published, rebuilt):
    sample = read_published(published / "Dataset 2_true_rows_sample.csv")
    differing, rows = differing_rows(rebuilt, sample, "right")
    assert rows == 67  # and one hour in which nobody charges
    assert differing <= 1


def test_durations_and_energies_are_written_as_published(published):
    path = published / "Dataset 1_EV charging reports.csv"
    texts = pd.read_csv(path, sep=";", dtype=str, keep_default_na=False)
    for text in texts["Duration_hours"][texts["Duration_hours"] != "NA"]:
        assert hours_text(round(float(text.replace(",", ".")) * HOUR_S)) == text
    for text in texts["El_kWh"]:
        assert kwh_text(round(float(text.replace(",", ".")) * 1000)) == text


def test_no_garage_of_the_publication_is_reused(published, good_reports):
    real = read_published(published / "Dataset 1_EV charging reports.csv")
    assert not {r["Garage_ID"] for r in good_reports} & set(real["Garage_ID"])
