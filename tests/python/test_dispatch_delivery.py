"""What a dispatch delivered is what the half-hours of both runs say, without the models."""

from datetime import timedelta

import duckdb
import pandas as pd
import pytest
import yaml

from dbt_runner import PROJECT_ROOT

HALF_HOUR = pd.Timedelta(minutes=30)
VARS = yaml.safe_load((PROJECT_ROOT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
KEY = ["run_id", "dispatch_id", "user_id"]


@pytest.fixture(scope="module")
def delivery(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The dispatches of the seeds."""
    rows = connection.execute("select * from fleet.dispatch_delivery").df()
    assert len(rows)
    return rows


@pytest.fixture(scope="module")
def paired(delivery: pd.DataFrame) -> pd.DataFrame:
    """Those with a run of the same drivers without the dispatch."""
    return delivery.dropna(subset=["counterfactual_run_id"])


@pytest.fixture(scope="module")
def net_import(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], pd.DataFrame]:
    """Net import per half-hour, on both clocks, of each run and user."""
    rows = connection.execute(
        """
        select
            run_id, user_id, half_hour_starts_at, half_hour_local_at,
            (import_kwh - export_kwh)::double as kwh
        from intermediate.int_simulator__car_half_hours
        """
    ).df()
    return dict(list(rows.groupby(["run_id", "user_id"])))


@pytest.fixture(scope="module")
def stays(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return connection.execute("select * from intermediate.int_simulator__stays").df()


def total(net_import, run_id, user_id, starts_at, ends_at):
    """Return the net import of half-hours that begin in a span; NaN where one isn't known."""
    own = net_import[run_id, user_id]
    begins = own["half_hour_starts_at"]
    return own.loc[(begins >= starts_at) & (begins < ends_at), "kwh"].sum(skipna=False)


def same(found, expected):
    assert list(found.astype(float)) == pytest.approx(list(expected), abs=2e-6, nan_ok=True)


def test_every_instructed_car_has_one_row(connection, delivery):
    instructed = connection.execute(
        """
        select run_id, dispatch_id, user_id, energy_kwh::double as energy_kwh
        from staging.stg_simulator__dispatches where event = 'instructed'
        """
    ).df()
    found = delivery.set_index(KEY)["instructed_kwh"].dropna().astype(float)
    assert found.to_dict() == instructed.set_index(KEY)["energy_kwh"].to_dict()


def test_cars_that_answer_and_cars_that_do_not_are_told_apart(connection, delivery):
    answered = connection.execute(
        "select run_id, dispatch_id, user_id from staging.stg_simulator__dispatches"
        " where event = 'acknowledged'"
    ).df()
    silent = delivery["status"] == "not_acknowledged"
    assert set(map(tuple, delivery.loc[~silent, KEY].to_numpy())) == set(
        map(tuple, answered.to_numpy())
    )
    assert "delivered" in set(delivery["status"])


def test_metered_energy_is_that_of_the_telemetry(delivery, net_import):
    expected = [
        -total(net_import, row.run_id, row.user_id, row.window_starts_at, row.window_ends_at)
        for row in delivery.itertuples()
    ]
    same(delivery["metered_kwh"], expected)


def test_telemetry_and_reported_energy_agree(delivery):
    known = delivery.dropna(subset=["metered_kwh", "reported_kwh"])
    assert len(known)
    difference = (known["metered_kwh"] - known["reported_kwh"]).astype(float).abs()
    is_far = difference > VARS["simulator_dispatch_tolerance_kwh"]
    assert list(known["has_meter_conflict"]) == list(is_far)
    assert not is_far.any()


def test_true_delivery_is_the_difference_of_the_paired_runs(paired, net_import):
    expected = []
    for row in paired.itertuples():
        span = (row.user_id, row.window_starts_at, row.window_ends_at)
        without, with_dispatch = (
            total(net_import, run_id, *span) for run_id in (row.counterfactual_run_id, row.run_id)
        )
        expected.append(without - with_dispatch)
    same(paired["true_delivered_kwh"], expected)
    assert paired["true_delivered_kwh"].astype(float).sum() > 0
    # a car that doesn't answer does what it would have done
    first = paired.sort_values("window_starts_at").drop_duplicates(["run_id", "user_id"])
    silent = first.loc[first["status"] == "not_acknowledged", "true_delivered_kwh"].dropna()
    assert (silent.astype(float) == 0).all()


def like_days(row, delivery, first_date):
    """Return the days that a market would make the baseline of."""
    of_user = delivery[(delivery["run_id"] == row.run_id) & (delivery["user_id"] == row.user_id)]
    dispatched = set(of_user["half_hour_local_at"].dt.date)
    window_date = row.half_hour_local_at.date()
    kind = "weekend" if window_date.weekday() >= 5 else "weekday"
    days = []
    for before in range(1, VARS["simulator_baseline_lookback_days"] + 1):
        day = window_date - timedelta(days=before)
        is_like = (day.weekday() >= 5) == (kind == "weekend")
        if day >= first_date and is_like and day not in dispatched:
            days.append(day)
    return days[: VARS["simulator_baseline_days"][kind]], VARS["simulator_baseline_min_days"][kind]


def baseline(row, delivery, net_import):
    """Return days and energy of the baseline of a window, half-hour by half-hour."""
    own = net_import[row.run_id, row.user_id]
    days, fewest = like_days(row, delivery, own["half_hour_local_at"].min().date())
    own = own.dropna(subset=["kwh"])
    hours = (row.window_ends_at - row.window_starts_at) // HALF_HOUR
    kwh, counts = 0.0, []
    for place in range(hours):
        clock = (row.half_hour_local_at + place * HALF_HOUR).time()
        stamps = own["half_hour_local_at"]
        alike = own[stamps.dt.date.isin(days) & (stamps.dt.time == clock)]
        kwh += alike["kwh"].mean()
        counts.append(alike["half_hour_local_at"].dt.date.nunique())
    return min(counts), kwh if min(counts) >= fewest else float("nan")


def test_baselines_are_means_of_like_days(delivery, net_import):
    found = [baseline(row, delivery, net_import) for row in delivery.itertuples()]
    assert list(delivery["baseline_days"]) == [days for days, _ in found]
    same(delivery["baseline_kwh"], [kwh for _, kwh in found])
    assert delivery["baseline_kwh"].notna().any()


def test_rebound_is_what_the_rest_of_the_stay_takes_beyond_the_paired_run(
    paired, net_import, stays
):
    expected = []
    for row in paired.itertuples():
        shared = stays[
            (stays["run_id"] == row.run_id)
            & (stays["user_id"] == row.user_id)
            & (stays["plugged_in_at"] < row.window_ends_at)
            & (stays["ended_at"] > row.window_starts_at)
        ]
        assert row.is_connected == (len(shared) > 0)
        if shared.empty or shared["ended_at"].max() <= row.window_ends_at:
            expected.append(float("nan"))
            continue
        span = (row.user_id, row.window_ends_at, shared["ended_at"].max())
        expected.append(
            total(net_import, row.run_id, *span)
            - total(net_import, row.counterfactual_run_id, *span)
        )
    same(paired["rebound_kwh"], expected)
    # what was given back is charged again later
    assert paired.loc[paired["status"] == "delivered", "rebound_kwh"].astype(float).sum() > 0
