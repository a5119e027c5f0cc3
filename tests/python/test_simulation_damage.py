"""Damage to simulated telemetry: each kind as it is named, recorded, and nothing else changed."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from ev_charging.simulation.config import Dispatch, FleetConfig
from ev_charging.simulation.damage import KINDS, damaged_days
from ev_charging.simulation.events import PLUG_IN, PLUG_OUT
from ev_charging.simulation.simulator import Fleet
from simulated_fleets import DAYS, START, USERS, archetypes, prices

RUN_ID, SHARE = "drill", 0.05
STAY = ["user", "plugged_in_at"]
TELEMETRY = ["user", "starts_at", "ends_at", "import_wh", "export_wh", "soc_pct", "state"]
TELEMETRY += ["import_register_wh", "export_register_wh"]
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400


@cache
def run(damaged, mode="calibrated", first_user=0, users=USERS, run_id=RUN_ID, kinds=KINDS):
    """Return the tables of a fleet that gives energy back now and then, each row with its stay."""
    dispatch = Dispatch(start="21:00", end="22:00", notice_minutes=180)
    config = FleetConfig(
        users=users, first_user=first_user, days=DAYS, start=START, mode=mode, dispatch=dispatch
    )
    fleet = Fleet(config, archetypes(), prices())
    days = fleet.days()
    if damaged:
        share = SHARE if len(kinds) > 1 else 1.0
        days = damaged_days(days, config, fleet.run_end_s, run_id, dict.fromkeys(kinds, share))
    days = list(days)
    tables = {
        name: pd.concat([pd.DataFrame(day[name]) for day in days if name in day])
        for name in {name for day in days for name in day}
    }
    return fleet, {name: table.reset_index(drop=True) for name, table in tables.items()}


def clean(name, **options):
    """Return a table before it is damaged, with the plug-in of the stay that each row is of."""
    _, tables = run(False, **options)
    table = tables[name]
    instant = "starts_at" if name == "telemetry" else "occurred_at"
    stays = tables["session_truth"][STAY].sort_values("plugged_in_at")
    return pd.merge_asof(
        table.sort_values(instant, kind="stable"),
        stays,
        left_on=instant,
        right_on="plugged_in_at",
        by="user",
    )


def damaged(name, **options):
    return run(True, **options)[1][name]


def chosen(kind, **options):
    """Return drivers and references of a kind of damage."""
    done = damaged("injected_damage", **options)
    of_kind = done[done["kind"] == KINDS.index(kind)]
    assert len(of_kind) > 10
    return of_kind[["user", "reference"]].reset_index(drop=True)


def damaged_stays(kind, **options):
    return chosen(kind, **options).rename(columns={"reference": "plugged_in_at"})


def keys(rows, *columns):
    return set(zip(*(rows[column] for column in columns), strict=True))


def counts(rows):
    return rows.groupby([*rows.columns]).size()


# --- the record ------------------------------------------------------------------------------


def test_the_truth_is_left_as_it_is():
    for name in ("session_truth", "trips", "dispatches"):
        pd.testing.assert_frame_equal(damaged(name), run(False)[1][name])


def test_every_kind_of_damage_is_done_about_as_often_as_asked_for():
    stays = len(run(False)[1]["session_truth"])
    done = damaged("injected_damage")["kind"].value_counts()
    assert set(done.index) == set(range(len(KINDS)))
    often = {KINDS[kind]: count / stays for kind, count in done.items()}
    for kind in ("late_event", "repeated_row", "missing_plug_out"):
        assert often[kind] == pytest.approx(SHARE, rel=0.25)
    # a driver's registers fall once
    assert len(chosen("register_reset")) == chosen("register_reset")["user"].nunique()
    assert max(often.values()) < 1.25 * SHARE


def test_a_stay_is_damaged_at_most_once():
    done = damaged("injected_damage").rename(columns={"reference": "at"}).sort_values("at")
    stays = run(False)[1]["session_truth"][STAY].sort_values("plugged_in_at")
    of_stay = pd.merge_asof(done, stays, left_on="at", right_on="plugged_in_at", by="user")
    assert of_stay["plugged_in_at"].notna().all()
    assert not of_stay.duplicated(STAY).any()


def test_references_are_true_plug_ins_unless_said_otherwise():
    plug_ins = keys(run(False)[1]["session_truth"], *STAY)
    for kind in set(KINDS) - {"repeated_row", "late_event"}:
        assert keys(damaged_stays(kind), *STAY) <= plug_ins


def test_damage_does_not_depend_on_the_other_drivers():
    whole = damaged("injected_damage")
    part = damaged("injected_damage", first_user=100, users=100)
    expected = whole[whole["user"].between(100, 199)]
    assert keys(part, "kind", "user", "reference") == keys(expected, "kind", "user", "reference")
    rows = damaged("telemetry")
    pd.testing.assert_series_equal(
        counts(rows[rows["user"].between(100, 199)][TELEMETRY]),
        counts(damaged("telemetry", first_user=100, users=100)[TELEMETRY]),
    )


def test_each_run_has_damage_of_its_own():
    one, other = damaged("injected_damage"), damaged("injected_damage", run_id="other")
    both = keys(one, "kind", *STAY[:1], "reference") & keys(other, "kind", "user", "reference")
    assert len(both) < 0.2 * len(one)


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({"gremlins": 0.1}, "damage must be one of .* not gremlins"),
        ({"late_event": 1.5}, "late_event must lie between 0 and 1, not 1.5"),
        ({"late_event": float("nan")}, "late_event must lie between 0 and 1, not nan"),
        ({"late_event": 0.7, "unit_slip": 0.7}, "can't be 1.4 of all stays"),
    ],
)
def test_shares_of_damage_that_cannot_be_are_refused(shares, message):
    with pytest.raises(ValueError, match=message):
        list(damaged_days([], FleetConfig(), 0.0, RUN_ID, shares))


# --- the kinds -------------------------------------------------------------------------------


def test_what_is_not_recorded_is_not_changed():
    touched = pd.concat(
        damaged_stays(kind)
        for kind in ("missing_interval", "register_reset", "unit_slip", "clock_skew")
    )
    reset_users = set(chosen("register_reset")["user"])
    before = clean("telemetry")
    is_whole = ~before.set_index(STAY).index.isin(touched.set_index(STAY).index)
    is_whole &= ~before["user"].isin(reset_users).to_numpy()
    assert is_whole.mean() > 0.3
    found = counts(damaged("telemetry")[TELEMETRY])
    expected = counts(before[is_whole][TELEMETRY])
    assert expected.index.isin(found.index).all()
    twice = found.reindex(expected.index) != expected
    assert keys(found[expected.index[twice]].reset_index(), "user", "starts_at") <= keys(
        chosen("repeated_row"), "user", "reference"
    )


def test_a_repeated_row_is_there_twice_and_alike():
    rows = damaged("telemetry")
    again = rows[rows.duplicated(TELEMETRY)]
    assert not again.duplicated(TELEMETRY).any()
    assert keys(again, "user", "starts_at") == keys(chosen("repeated_row"), "user", "reference")


def test_a_late_event_is_received_hours_late():
    log = damaged("plug_events")
    moved = damaged_stays("clock_skew")
    log = log[~log["user"].isin(moved["user"])]
    late = log[log["received_at"] - log["occurred_at"] > 20]
    delay_s = late["received_at"] - late["occurred_at"]
    assert delay_s.between(HOUR_S, 12 * HOUR_S + 20).all()
    expected = chosen("late_event")
    expected = expected[~expected["user"].isin(moved["user"])]
    assert keys(late, "user", "occurred_at") == keys(expected, "user", "reference")
    assert late["event"].nunique() == 4


def test_a_missing_interval_is_a_gap_of_one_to_three_rows_within_a_stay():
    before = clean("telemetry").merge(damaged_stays("missing_interval"), on=STAY)
    before["number"] = before.groupby(STAY).cumcount()
    last = before.groupby(STAY)["number"].transform("max")
    after = keys(damaged("telemetry"), "user", "starts_at")
    is_lost = [key not in after for key in zip(before["user"], before["starts_at"], strict=True)]
    lost = before[is_lost].groupby(STAY)["number"].agg(["min", "max", "size"])
    assert len(lost) == len(damaged_stays("missing_interval"))
    assert (lost["max"] - lost["min"] + 1 == lost["size"]).all()
    assert set(lost["size"]) == {1, 2, 3}
    assert ((before["number"] > 0) & (before["number"] < last))[is_lost].all()
    assert len(keys(clean("telemetry"), "user", "starts_at") - after) >= lost["size"].sum()


def test_registers_fall_to_nothing_within_a_stay_and_count_on_from_there():
    of_user = damaged_stays("register_reset").set_index("user")["plugged_in_at"]
    moved = set(damaged_stays("clock_skew")["user"])
    checked = [user for user in of_user.index if user not in moved]
    assert checked
    for name, instant in (("telemetry", "starts_at"), ("plug_events", "occurred_at")):
        row = ["user", instant] if name == "telemetry" else ["user", instant, "event"]
        before, after = clean(name), damaged(name).drop_duplicates(row)
        both = before.merge(after, on=row, suffixes=("", "_damaged"))
        both = both[both["user"].isin(checked)].sort_values(instant, kind="stable")
        for user, rows in both.groupby("user"):
            for register in ("import_register_wh", "export_register_wh"):
                fell = rows[register] - rows[f"{register}_damaged"]
                assert (fell[rows[instant] <= of_user[user]] == 0).all()
                assert fell.is_monotonic_increasing
                assert fell.nunique() <= 2
            fell = rows["import_register_wh"] - rows["import_register_wh_damaged"]
            if name == "telemetry":
                first = rows[fell > 0].iloc[0]
                assert first["import_register_wh_damaged"] == first["import_wh"]
                assert first["plugged_in_at"] == of_user[user] < first["starts_at"]
            else:
                of_stay = rows[rows["plugged_in_at"] == of_user[user]]
                registers = of_stay["import_register_wh_damaged"]
                if (of_stay["event"] == PLUG_OUT).any():
                    assert registers.iloc[-1] < registers.iloc[0]


def test_a_unit_slip_delivers_the_energy_of_a_stay_in_wh():
    both = clean("telemetry").merge(damaged_stays("unit_slip"), on=STAY)
    both = both.merge(damaged("telemetry"), on=["user", "starts_at"], suffixes=("", "_damaged"))
    for name in ("import_wh", "export_wh"):
        assert (both[f"{name}_damaged"] == 1000 * both[name]).all()
    energy_wh = both.groupby(STAY)[["import_wh", "export_wh"]].sum().sum(axis=1)
    assert len(energy_wh) == len(damaged_stays("unit_slip"))
    assert (energy_wh > 0).all()
    whole = both[~both["user"].isin(chosen("register_reset")["user"])]
    assert (whole["import_register_wh_damaged"] == whole["import_register_wh"]).all()


def test_a_missing_plug_out_is_the_only_event_that_is_lost():
    log = damaged("plug_events")
    moved = set(damaged_stays("clock_skew")["user"])
    before = clean("plug_events")
    row = ["user", "event", "occurred_at"]
    lost = keys(before, *row) - keys(log, *row)
    lost = {key for key in lost if key[0] not in moved}
    assert {event for _, event, _ in lost} == {PLUG_OUT}
    stays = run(False)[1]["session_truth"].merge(damaged_stays("missing_plug_out"), on=STAY)
    assert len(stays) == len(damaged_stays("missing_plug_out"))
    stays = stays[~stays["user"].isin(moved)]
    assert {(user, at) for user, _, at in lost} == keys(stays, "user", "plugged_out_at")
    assert (stays["plugged_out_at"] > 0).all()


@pytest.mark.parametrize("mode", ["calibrated", "sketch"])
def test_a_clock_that_is_wrong_moves_all_stamps_of_a_stay_by_the_same_minutes(mode):
    options = {"mode": mode, "kinds": ("clock_skew",)}
    fleet, _ = run(False, **options)
    skewed = damaged_stays("clock_skew", **options)
    before, after = clean("plug_events", **options), damaged("plug_events", **options)
    both = before.merge(after, on=["user", "event", "received_at"], suffixes=("", "_damaged"))
    assert len(both) == len(before)
    moved_s = both["occurred_at_damaged"] - both["occurred_at"]
    by_stay = moved_s.groupby([both[name] for name in STAY]).agg(["min", "max"])
    assert (by_stay["min"] == by_stay["max"]).all()
    by_stay = by_stay["min"]
    assert set(by_stay[by_stay != 0].index) == keys(skewed, *STAY)
    minutes = by_stay[by_stay != 0] / MINUTE_S
    assert (minutes % 1 == 0).all()
    assert minutes.abs().between(5, 50).all()
    assert minutes.min() < 0 < minutes.max()
    rows = clean("telemetry", **options)
    by_row = rows.set_index(STAY).index.map(by_stay).to_numpy()
    for name in ("starts_at", "ends_at"):
        rows[name] += by_row
    columns = ["user", "starts_at", "ends_at", "import_register_wh", "soc_pct"]
    assert keys(rows, *columns) == keys(damaged("telemetry", **options), *columns)
    assert damaged("telemetry", **options)["ends_at"].max() == fleet.run_end_s


@pytest.mark.parametrize("mode", ["calibrated", "sketch"])
def test_stays_never_touch_because_of_a_clock(mode):
    log = damaged("plug_events", mode=mode, kinds=("clock_skew",))
    log = log[log["event"].isin([PLUG_IN, PLUG_OUT])].sort_values(
        ["user", "occurred_at"], kind="stable"
    )
    same = log["user"].to_numpy()[1:] == log["user"].to_numpy()[:-1]
    turns = log["event"].to_numpy()[1:] != log["event"].to_numpy()[:-1]
    assert turns[same].all()


def one_stay(begins_wh, energy_wh, end_s=6 * HOUR_S):
    """Return a day with a stay of six hours, read every hour, and a run that ends at `end_s`."""
    hours = np.arange(6)
    register_wh = begins_wh + energy_wh * (hours + 1)
    user, none = np.zeros(6, dtype=np.int64), np.zeros(6, dtype=np.int64)
    telemetry = {
        **{"user": user, "starts_at": hours * HOUR_S, "ends_at": (hours + 1) * HOUR_S},
        **{"import_wh": none + energy_wh, "export_wh": none},
        **{"import_register_wh": register_wh, "export_register_wh": none},
    }
    log = {
        **{"user": user[:2], "event": np.array([PLUG_IN, PLUG_OUT])},
        **{"occurred_at": np.array([0, end_s]), "received_at": np.array([2, end_s + 2])},
        "import_register_wh": np.array([begins_wh, register_wh[-1]]),
        "export_register_wh": none[:2],
    }
    truth = {"user": user[:1], "plugged_in_at": none[:1], "plugged_out_at": none[:1] + end_s}
    return {"telemetry": telemetry, "plug_events": log, "session_truth": truth}


@pytest.mark.parametrize(
    ("kind", "day", "is_done"),
    [
        ("register_reset", one_stay(100_000, 5_000), True),
        # nobody could tell that it fell
        ("register_reset", one_stay(0, 5_000), False),
        ("unit_slip", one_stay(100_000, 5_000), True),
        ("unit_slip", one_stay(100_000, 0), False),
        ("missing_plug_out", one_stay(100_000, 5_000), True),
        # the stay would look like one that goes on
        ("missing_plug_out", one_stay(100_000, 5_000, end_s=DAY_S), False),
        ("clock_skew", one_stay(100_000, 5_000), True),
    ],
)
def test_a_stay_is_only_damaged_where_somebody_could_tell(kind, day, is_done):
    (after,) = damaged_days([day], FleetConfig(users=1), DAY_S, RUN_ID, {kind: 1.0})
    assert len(after["injected_damage"]["user"]) == is_done
    for name in ("telemetry", "plug_events"):
        changed = not pd.DataFrame(after[name]).equals(pd.DataFrame(day[name]))
        assert changed <= is_done


def test_a_clock_never_moves_a_stay_beyond_the_end_of_the_run():
    def ends(run_end_s):
        """Return when the stay ends by the clocks of some runs."""
        day, shares = one_stay(100_000, 5_000), {"clock_skew": 1.0}
        for run_id in map(str, range(20)):
            (after,) = damaged_days([day], FleetConfig(users=1), run_end_s, run_id, shares)
            yield after["telemetry"]["ends_at"][-1]

    assert min(ends(DAY_S)) < 6 * HOUR_S < max(ends(DAY_S))
    assert max(ends(6.5 * HOUR_S)) < 6 * HOUR_S


def test_days_without_stays_pass_unchanged():
    day = {"trips": {"user": np.array([1])}}
    shares = dict.fromkeys(KINDS, SHARE)
    assert list(damaged_days([day, day], FleetConfig(), 0.0, RUN_ID, shares)) == [day, day]
