"""The tables about stations say what the sessions say, and find the station that is bad."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from ev_charging.reliability.comparison import station_comparison

# The station of the seeds that is generated with several times the failures of the others.
BAD_STATION = "ferry-5"


@pytest.fixture(scope="module")
def sessions(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The sessions of the network."""
    return connection.execute(
        "select * from core.fct_charging_sessions where source_system = 'network'"
    ).df()


@pytest.fixture(scope="module")
def stations(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return connection.execute("select * from reliability.station_reliability").df()


@pytest.fixture(scope="module")
def comparison(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return connection.execute("select * from reliability.station_comparison order by 1").df()


def test_every_listed_station_is_rated_and_the_unknown_one_only_with_sessions(
    connection, sessions, stations
):
    listed = connection.execute("select station_id from staging.stg_network__stations").df()
    rated = stations[stations["is_listed"]]
    assert sorted(rated["station_id"]) == sorted(listed["station_id"])
    unlisted = ~sessions["station_key"].isin(rated["station_key"])
    assert stations.loc[~stations["is_listed"], "sessions"].sum() == unlisted.sum()


def test_outcomes_of_stations_are_those_of_their_sessions(sessions, stations):
    expected = pd.crosstab(sessions["station_key"], sessions["outcome"])
    rows = stations[stations["sessions"] > 0].set_index("station_key").sort_index()
    for outcome in ("succeeded", "failed", "unknown", "open"):
        assert rows[f"sessions_{outcome}"].to_dict() == expected[outcome].to_dict(), outcome
    known = expected["succeeded"] + expected["failed"]
    rate = (expected["succeeded"] / known).to_dict()
    assert rows["success_rate"].to_dict() == pytest.approx(rate, nan_ok=True)


def test_intervals_of_stations_are_wilson_s(stations):
    rated = stations[stations["sessions_known"] > 0]
    low, high = proportion_confint(
        rated["sessions_succeeded"], rated["sessions_known"], method="wilson"
    )
    assert list(rated["success_rate_low"]) == pytest.approx(list(low), abs=1e-6)
    assert list(rated["success_rate_high"]) == pytest.approx(list(high), abs=1e-6)


def test_stations_are_ranked_by_their_rates(stations):
    ranked = stations[stations["is_listed"] & (stations["sessions_known"] >= 20)]
    expected = ranked["success_rate"].rank(method="min", ascending=False)
    assert list(ranked["station_rank"]) == list(expected)
    assert stations.drop(ranked.index)["station_rank"].isna().all()


def test_medians_are_those_of_sessions_that_succeeded(sessions, stations):
    succeeded = sessions[sessions["outcome"] == "succeeded"]
    usual = succeeded[~succeeded["is_over_long"].astype(bool)]
    rows = stations.set_index("station_key")
    for column, frame in (("energy_kwh", succeeded), ("connected_minutes", usual)):
        expected = frame.groupby("station_key")[column].median().dropna()
        found = rows.loc[expected.index, f"median_{column}"].astype(float)
        assert found.to_dict() == pytest.approx(expected.to_dict(), abs=1e-6)


def test_failures_of_stations_are_those_of_their_sessions(connection, sessions, stations):
    failed = sessions[sessions["outcome"] == "failed"]
    expected = failed.groupby(["station_key", "failure_reason"]).size()
    found = connection.execute("select * from reliability.station_failures").df()
    counts = found.set_index(["station_key", "failure_reason"])["sessions"]
    assert counts.to_dict() == expected.to_dict()
    assert found.groupby("station_key")["share_of_failures"].sum().to_dict() == pytest.approx(
        dict.fromkeys(found["station_key"], 1.0)
    )
    most = counts.groupby("station_key").max()
    tops = stations.dropna(subset=["top_failure_reason"]).set_index("station_key")
    assert {key: counts[key, row.top_failure_reason] for key, row in tops.iterrows()} == (
        most.to_dict()
    )


def test_sessions_by_day_add_up_to_those_of_the_stations(connection, stations):
    days = connection.execute(
        """
        select station_key, sum(sessions_known) as known, sum(sessions_succeeded) as succeeded
        from intermediate.int_network__station_days
        group by station_key
        """
    ).df()
    rows = stations[stations["sessions_known"] > 0].set_index("station_key")
    assert days.set_index("station_key")["known"].to_dict() == rows["sessions_known"].to_dict()
    assert days.set_index("station_key")["succeeded"].to_dict() == (
        rows["sessions_succeeded"].to_dict()
    )


def test_the_comparison_is_that_of_the_listed_stations(connection, stations, comparison):
    days = connection.execute("select * from intermediate.int_network__station_days").df()
    limits = connection.execute("select * from intermediate.int_network__reliability_limits").df()
    expected = station_comparison(stations[stations["is_listed"]], days, limits)
    pd.testing.assert_frame_equal(comparison, expected, check_dtype=False)


def test_only_the_bad_station_of_the_seeds_is_worse(comparison):
    worse = comparison[comparison["verdict"] == "worse"]
    assert list(worse["station_id"]) == [BAD_STATION]
    # What a plain test of proportions says too: it is no close call.
    bad = worse.iloc[0]
    p_value = stats.binom.cdf(
        bad["sessions_succeeded"], bad["sessions_known"], bad["success_rate_of_others"]
    )
    assert p_value < 1e-4
    assert bad["success_rate"] < bad["shrunken_success_rate"] < bad["prior_success_rate"]


def test_failures_come_in_clusters(comparison):
    """A driver who fails tries again, and a fault lasts: the made-up network has that too."""
    design_effect = comparison["design_effect"]
    assert design_effect.nunique() == 1
    assert 1 <= design_effect.iloc[0] < 5
    expected = comparison["sessions_known"] / design_effect
    assert np.allclose(comparison["effective_sessions"], expected)
