"""The figures that simulated and real drivers are compared in mean what they say.

The tests on real sessions run where the environment variable EV_REAL_DATA names a folder with the
published data of Trondheim: other people's, and no part of the project.
"""

import os
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_runner import PROJECT_ROOT
from ev_charging.simulation.archetypes import read_archetypes
from ev_charging.simulation.charging_figures import FIGURES, POWER_KW, charging_figures
from ev_charging.simulation.config import FleetConfig
from ev_charging.simulation.observed_stays import observed_between_plug_ins, spread_over
from ev_charging.simulation.reference_run import reference_run
from ev_charging.simulation.validation import VALIDATION, passes, simulation_validation
from feed_figures import read_reports

REFERENCE = PROJECT_ROOT / "seeds" / "reference"
ARCHETYPES = REFERENCE / "charging_archetypes.csv"
REAL = pd.read_csv(REFERENCE / "residential_charging_figures.csv")
REPORTS = (
    Path(os.environ.get("EV_REAL_DATA") or "nowhere")
    / "trondheim"
    / "Dataset 1_EV charging reports.csv"
)

MONDAY = pd.Timestamp("2024-10-07")
FOUR_WEEKS = 28


def sessions_of(*rows: tuple) -> pd.DataFrame:
    """Sessions of (user, days after a Monday, hour of the plug-in, hours connected, kWh)."""
    frame = pd.DataFrame(rows, columns=["user", "day", "hour", "connected_h", "energy_kwh"])
    plugged_in = MONDAY + pd.to_timedelta(frame["day"] * 24.0 + frame["hour"].astype(float), "h")
    connected = pd.to_timedelta(frame["connected_h"].astype(float), "h")
    return pd.DataFrame(
        {
            "user": frame["user"],
            "plugged_in_local_at": plugged_in,
            "plugged_out_local_at": plugged_in + connected,
            "energy_kwh": frame["energy_kwh"].astype(float),
        }
    )


def observed_for(days: int, *users: str) -> pd.DataFrame:
    """These users, observed from a Monday on."""
    return pd.DataFrame(
        {"user": users, "first_date": MONDAY, "last_date": MONDAY + pd.Timedelta(days=days - 1)}
    )


def figures_of(sessions: pd.DataFrame, observed: pd.DataFrame) -> dict[str, float]:
    return charging_figures(sessions, observed).set_index("figure")["value"].to_dict()


def users_of(sessions: pd.DataFrame, observed: pd.DataFrame) -> dict[str, int]:
    return charging_figures(sessions, observed).set_index("figure")["users"].to_dict()


# --- what each figure means -----------------------------------------------------------------------


def test_sessions_are_counted_against_all_observed_days_also_of_who_never_plugs_in():
    sessions = sessions_of(*[("often", 2 * day, 18, 10, 5) for day in range(14)])
    found = figures_of(sessions, observed_for(FOUR_WEEKS, "often", "never"))
    assert found["sessions_per_week_mean"] == pytest.approx((3.5 + 0) / 2)
    assert found["sessions_per_week_p10"] == pytest.approx(0.35)
    assert found["sessions_per_week_p90"] == pytest.approx(3.15)


def test_energy_of_a_year_is_that_of_the_observed_days_scaled_up():
    sessions = sessions_of(*[("one", 7 * week, 18, 10, 14) for week in range(4)])
    assert figures_of(sessions, observed_for(FOUR_WEEKS, "one"))["energy_per_year"] == (
        pytest.approx(2 * 365)
    )


def test_who_is_observed_for_less_than_four_weeks_has_no_rates():
    observed = pd.concat([observed_for(FOUR_WEEKS, "long"), observed_for(27, "short")])
    sessions = sessions_of(("short", 0, 18, 10, 5), ("long", 0, 18, 10, 5))
    users = users_of(sessions, observed)
    assert users["sessions_per_week_mean"] == users["energy_per_year"] == 1
    assert users["energy_per_session_mean"] == 2
    assert figures_of(sessions, observed)["sessions_per_week_mean"] == pytest.approx(1 / 4)


def test_open_sessions_have_energy_and_no_duration():
    sessions = sessions_of(("one", 0, 18, 10, 7.2), ("one", 1, 18, np.nan, 3.6))
    found = figures_of(sessions, observed_for(FOUR_WEEKS, "one"))
    assert found["energy_per_session_mean"] == pytest.approx(5.4)
    assert found["connected_hours_mean"] == pytest.approx(10)
    assert found["idle_share"] == pytest.approx(90)


def test_unknown_energy_is_left_out_and_its_session_counts():
    sessions = sessions_of(("one", 0, 18, 10, 8), ("one", 1, 18, 20, np.nan))
    found = figures_of(sessions, observed_for(FOUR_WEEKS, "one"))
    assert found["sessions_per_week_mean"] == pytest.approx(2 / 4)
    assert found["energy_per_session_mean"] == pytest.approx(8)
    assert found["energy_per_year"] == pytest.approx(8 / 28 * 365)
    assert found["connected_hours_mean"] == pytest.approx(15)


def test_idle_time_is_that_of_all_sessions_together_and_never_negative():
    # a session that needs longer than it was connected is not idle, and no more than that
    sessions = sessions_of(("one", 0, 18, 9, 7.2), ("one", 1, 12, 1, 72))
    found = figures_of(sessions, observed_for(FOUR_WEEKS, "one"))
    assert found["idle_share"] == pytest.approx(100 * (1 - (1 + 1) / 10))


def test_connection_at_17_is_that_of_weekdays():
    observed = observed_for(14, "one", "two")
    whole_fortnight = sessions_of(("one", 0, 0, 14 * 24, 50))
    assert figures_of(whole_fortnight, observed)["connected_at_17"] == pytest.approx(50)
    weekend = sessions_of(("one", 5, 0, 48, 50))
    assert figures_of(weekend, observed)["connected_at_17"] == pytest.approx(0)
    from_half_past = sessions_of(("one", 0, 17.5, 10, 5), ("two", 1, 8, 9.25, 5))
    expected = 100 * (0.5 + 0.25) / 20
    assert figures_of(from_half_past, observed)["connected_at_17"] == pytest.approx(expected)


def test_a_driver_with_two_stays_at_once_is_connected_once():
    sessions = sessions_of(("one", 0, 17, 1, 5), ("one", 0, 16, 4, 5))
    found = figures_of(sessions, observed_for(7, "one"))
    assert found["connected_at_17"] == pytest.approx(100 / 5)


def test_a_stay_that_began_before_counts_as_connected_and_as_no_session():
    sessions = sessions_of(("one", -1, 17, 24 + 1, 5), ("one", 2, 12, 4, 9))
    found = figures_of(sessions, observed_for(FOUR_WEEKS, "one"))
    assert found["connected_at_17"] == pytest.approx(100 / 20)
    assert found["sessions_per_week_mean"] == pytest.approx(1 / 4)
    assert found["energy_per_session_mean"] == pytest.approx(9)


def test_a_stay_that_outlasts_the_observation_is_connected_to_its_end():
    sessions = sessions_of(("one", 0, 12, 30 * 24, 5))
    assert figures_of(sessions, observed_for(2, "one"))["connected_at_17"] == pytest.approx(100)


def test_the_peak_hour_is_that_of_charging_at_once_on_weekdays():
    # 18:30 + 1.5 h at 7.2 kW: half an hour at 18, one at 19; Saturday doesn't count
    sessions = sessions_of(("one", 0, 18.5, 10, 1.5 * POWER_KW), ("one", 5, 3, 10, 50))
    found = figures_of(sessions, observed_for(7, "one"))
    assert found["peak_hour_share"] == pytest.approx(100 * 2 / 3)


def test_hours_of_plug_ins_are_on_a_circle():
    rows = [("one", day, hour, 1, 1) for day, hour in enumerate([23, 25] * 10)]
    rows += [("two", day, hour, 1, 1) for day, hour in enumerate([19, 21] * 10)]
    found = figures_of(sessions_of(*rows), observed_for(FOUR_WEEKS, "one", "two"))
    # each an hour from its mean at 0 and 20 h, these two hours from theirs at 22
    assert found["plug_in_spread_within"] == pytest.approx(1)
    assert found["plug_in_spread_between"] == pytest.approx(2)


def test_who_plugs_in_seldom_has_no_usual_hour():
    rows = [("often", day, 18, 1, 1) for day in range(20)]
    rows += [("seldom", day, 3 + day, 1, 1) for day in range(19)]
    sessions, observed = sessions_of(*rows), observed_for(FOUR_WEEKS, "often", "seldom")
    assert users_of(sessions, observed)["plug_in_spread_within"] == 1
    assert figures_of(sessions, observed)["plug_in_spread_between"] == pytest.approx(0)


def test_cars_that_charge_together_coincide_and_others_do_not():
    def fleet(hours: list[int]) -> dict[str, float]:
        names = [str(hour_number) for hour_number in range(len(hours))]
        rows = [(name, 3, hour, 10, 7.2) for name, hour in zip(names, hours, strict=True)]
        return figures_of(sessions_of(*rows), observed_for(FOUR_WEEKS, *names))

    together, apart = fleet([18] * 10), fleet(list(range(8, 18)))
    assert [together[f"coincidence_{n}"] for n in (1, 2, 5, 10)] == pytest.approx([1, 1, 1, 1])
    assert [apart[f"coincidence_{n}"] for n in (1, 2, 5, 10)] == pytest.approx(
        [1, 1 / 2, 1 / 5, 1 / 10]
    )
    assert np.isnan(together["coincidence_20"])


def test_half_an_hour_at_full_power_is_half_an_hourly_peak():
    sessions = sessions_of(("one", 3, 18, 10, POWER_KW / 2))
    assert figures_of(sessions, observed_for(FOUR_WEEKS, "one"))["coincidence_1"] == (
        pytest.approx(0.5)
    )


def test_coincidence_is_that_of_the_last_eight_weeks():
    sessions = sessions_of(("one", 43, 18, 10, 7.2), ("one", 44, 18.5, 10, 3.6))
    assert figures_of(sessions, observed_for(100, "one"))["coincidence_1"] == pytest.approx(0.5)
    assert figures_of(sessions, observed_for(99, "one"))["coincidence_1"] == pytest.approx(1)


def test_the_figures_of_nothing_are_typed_and_missing():
    for users in ([], ["never"]):
        found = charging_figures(sessions_of(), observed_for(FOUR_WEEKS, *users))
        assert {name: str(kind) for name, kind in found.dtypes.items()} == FIGURES
        assert list(found["figure"]) == list(REAL["figure"])
        quiet = {"sessions_per_week_mean", "energy_per_year", "connected_at_17", "coincidence_1"}
        known = set(found.loc[found["value"].notna(), "figure"])
        assert not users or quiet <= known
        assert (found["value"].dropna() == 0).all()


def test_who_was_not_observed_is_refused():
    sessions = sessions_of(("stranger", 0, 18, 10, 5))
    with pytest.raises(ValueError, match="not observed: stranger"):
        charging_figures(sessions, observed_for(FOUR_WEEKS, "one"))
    with pytest.raises(ValueError, match="observed more than once: one"):
        charging_figures(sessions_of(), observed_for(FOUR_WEEKS, "one", "one"))
    with pytest.raises(ValueError, match="energy below 0: -5 kWh"):
        charging_figures(sessions_of(("one", 0, 1, 2, -5)), observed_for(FOUR_WEEKS, "one"))


stays = st.lists(
    st.tuples(
        st.sampled_from(["one", "two", "three"]),
        st.integers(0, 59),
        st.integers(0, 95).map(lambda quarter: quarter / 4),
        st.integers(0, 200).map(lambda quarter: quarter / 4),
        st.integers(0, 80),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(stays, st.randoms())
def test_figures_depend_on_no_order_and_lie_within_their_bounds(rows, chance):
    observed = observed_for(60, "one", "two", "three")
    found = figures_of(sessions_of(*rows), observed)
    again = figures_of(sessions_of(*chance.sample(rows, len(rows))), observed)
    for name, value in found.items():
        # the mean of 0 and 12 h is 6 or 18 h, whichever the last digit of a sum makes it
        if not name.startswith("plug_in_spread"):
            assert again[name] == pytest.approx(value, nan_ok=True), name
    shares = ("idle_share", "connected_at_17", "peak_hour_share")
    assert all(np.isnan(found[name]) or -1e-9 <= found[name] <= 100 + 1e-9 for name in shares)
    assert all(0 <= found[f"coincidence_{size}"] <= 1 + 1e-9 for size in (1, 2))


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 100)), min_size=1, max_size=10),
    st.sampled_from([1, 24]),
)
def test_spans_that_are_cut_lose_nothing(spans, unit_h):
    start_h, length_h = np.array(spans).T / 8
    span, unit, hours = spread_over(start_h, start_h + length_h, unit_h)
    assert np.bincount(span, hours) == pytest.approx(length_h)
    assert ((hours >= 0) & (hours <= unit_h)).all()
    assert (
        (unit >= start_h[span] // unit_h) & (unit <= (start_h + length_h)[span] // unit_h)
    ).all()


# --- real drivers ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trondheim() -> pd.DataFrame:
    """6,878 real sessions of 97 users."""
    if not REPORTS.is_file():
        pytest.skip("EV_REAL_DATA names no folder with the published data of Trondheim")
    reports = read_reports(REPORTS)
    return pd.DataFrame(
        {
            "user": reports["user_id"],
            "plugged_in_local_at": pd.to_datetime(reports["plugged_in"]),
            "plugged_out_local_at": pd.to_datetime(reports["plugged_out"]),
            "energy_kwh": reports["energy"] / 1e6,
        }
    )


def test_real_drivers_pass(trondheim):
    """Or else the definitions would not be those of the published figures."""
    found = figures_of(trondheim, observed_between_plug_ins(trondheim))
    failing = {
        row.figure: found[row.figure]
        for row in REAL.itertuples()
        # there are fewer users
        if row.figure != "coincidence_100"
        and not passes(found[row.figure], row.low, row.high, row.tolerance)
    }
    assert failing == {}


def test_real_drivers_have_the_figures_that_they_are_known_for(trondheim):
    found = figures_of(trondheim, observed_between_plug_ins(trondheim))
    assert found["energy_per_session_mean"] == pytest.approx(12.7207, abs=1e-4)
    assert found["energy_per_session_p50"] == pytest.approx(9.05)
    # by the clock; reported are 11.5044 hours
    assert found["connected_hours_mean"] == pytest.approx(11.5044, abs=2e-3)


def test_figures_by_other_means_are_the_same(trondheim):
    """One session after the other, as one would with pencil and paper."""
    few = trondheim[trondheim["user"].isin(trondheim["user"].unique()[:12])]
    found = figures_of(few, observed_between_plug_ins(few))
    connected, observed, by_hour = 0.0, 0, np.zeros(24)
    for _, rows in few.groupby("user"):
        first, last = (
            getattr(rows["plugged_in_local_at"].dt.date, end)() for end in ("min", "max")
        )
        for day in pd.date_range(first, last):
            if day.weekday() < 5:
                observed += 1
                start, end = day + pd.Timedelta(hours=17), day + pd.Timedelta(hours=18)
                touching = rows[
                    (rows["plugged_in_local_at"] < end) & (rows["plugged_out_local_at"] > start)
                ]
                shared = sum(
                    (min(row.plugged_out_local_at, end) - max(row.plugged_in_local_at, start))
                    / pd.Timedelta(hours=1)
                    for row in touching.itertuples()
                )
                connected += min(shared, 1)
    assert found["connected_at_17"] == pytest.approx(100 * connected / observed)
    for row in few.itertuples():
        at, left_kwh = row.plugged_in_local_at, row.energy_kwh
        while left_kwh > 1e-12:
            until = at.floor("h") + pd.Timedelta(hours=1)
            kwh = min(left_kwh, POWER_KW * ((until - at) / pd.Timedelta(hours=1)))
            by_hour[at.hour] += kwh * (at.weekday() < 5)
            at, left_kwh = until, left_kwh - kwh
    assert found["peak_hour_share"] == pytest.approx(100 * by_hour.max() / by_hour.sum())


# --- simulated drivers ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reference() -> dict[str, float]:
    """Figures of a fleet as the model simulates it."""
    config = FleetConfig(users=600, days=364)
    return figures_of(*reference_run(config, read_archetypes(ARCHETYPES)))


@pytest.mark.parametrize("row", list(REAL.itertuples()), ids=list(REAL["figure"]))
def test_a_simulated_fleet_charges_as_real_drivers_do(reference, row):
    assert passes(reference[row.figure], row.low, row.high, row.tolerance), reference[row.figure]


def test_other_drivers_of_the_simulator_do_too():
    """Not only the ones that it may have been tuned with."""
    config = FleetConfig(users=600, days=364, seed=7, start=date(2023, 2, 6))
    found = figures_of(*reference_run(config, read_archetypes(ARCHETYPES)))
    failing = {
        row.figure: found[row.figure]
        for row in REAL.itertuples()
        if not passes(found[row.figure], row.low, row.high, row.tolerance)
    }
    assert failing == {}


def test_the_sketch_does_not_charge_as_real_drivers_do():
    """Everybody at 18 h: the comparison sees it."""
    config = FleetConfig(users=300, days=84, mode="sketch")
    found = figures_of(*reference_run(config, read_archetypes(ARCHETYPES)))
    assert found["connected_at_17"] < 2
    real = REAL.set_index("figure")
    for name in ("connected_at_17", "peak_hour_share", "plug_in_spread_within", "coincidence_20"):
        row = real.loc[name]
        assert not passes(found[name], row["low"], row["high"], row["tolerance"]), name


def test_sessions_of_the_simulator_are_on_the_local_clock():
    config = FleetConfig(users=20, days=28, start=date(2024, 10, 14), mode="sketch")
    sessions, observed = reference_run(config, read_archetypes(ARCHETYPES))
    # most archetypes plug in at 18:00 whatever the clock change of 27 October does
    assert sessions["plugged_in_local_at"].dt.strftime("%H:%M").mode()[0] == "18:00"
    assert set(observed["first_date"]) == {pd.Timestamp("2024-10-14")}
    assert set(observed["last_date"]) == {pd.Timestamp("2024-11-10")}
    # the last night is not over when the run ends
    is_open = sessions["plugged_out_local_at"].isna()
    assert is_open.any()
    assert (sessions.loc[is_open, "plugged_in_local_at"] >= "2024-11-10").all()


# --- the verdict ----------------------------------------------------------------------------------

TWO_FIGURES = pd.DataFrame(
    {
        "figure": ["energy_per_session_mean", "coincidence_5"],
        "unit": ["kWh", "1"],
        "low": [10.0, 0.5],
        "high": [12.0, 0.5],
        "tolerance": [1.0, 0.1],
    }
)


def limits_of(min_users: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "users": [3],
            "days": [2],
            "min_users": [min_users],
            "price_zone": ["NO3"],
            "time_zone": ["Europe/Oslo"],
        }
    )


def validate(energy_kwh: float, min_users: int) -> pd.DataFrame:
    """Verdicts of two loaded runs of the same two users, one session each."""
    runs = {"smart": ["smart/a", "smart/b"], "uncontrolled": ["uncontrolled/a", "uncontrolled/b"]}
    observed = pd.concat(
        [
            observed_for(FOUR_WEEKS, *users).rename(columns={"user": "user_key"}).assign(run_id=run)
            for run, users in runs.items()
        ]
    )
    rows = [(user, 1, 18, 10, energy_kwh) for users in runs.values() for user in users]
    return simulation_validation(
        sessions=sessions_of(*rows).rename(columns={"user": "user_key"}),
        observed=observed,
        archetypes=pd.read_csv(ARCHETYPES),
        real=TWO_FIGURES,
        limits=limits_of(min_users),
    )


@pytest.mark.parametrize(
    ("energy_kwh", "expected"),
    [(8.9, False), (9.0, True), (11.0, True), (13.0, True), (13.1, False)],
)
def test_a_figure_passes_up_to_its_tolerance(energy_kwh, expected):
    found = validate(energy_kwh, min_users=2)
    judged = found[(found["fleet"] == "loaded") & (found["figure"] == "energy_per_session_mean")]
    assert list(judged["run_id"]) == ["smart", "uncontrolled"]
    assert list(judged["simulated_value"]) == pytest.approx([energy_kwh] * 2)
    assert list(judged["users"]) == [2, 2]
    assert list(judged["passes"]) == [expected] * 2


def test_few_drivers_and_missing_figures_are_not_judged():
    few = validate(11, min_users=3)
    loaded = few[few["fleet"] == "loaded"]
    assert loaded["passes"].isna().all()
    assert loaded.loc[loaded["figure"] == "energy_per_session_mean", "simulated_value"].eq(11).all()
    # there is no group of five among two
    enough = validate(11, min_users=2)
    missing = enough[(enough["fleet"] == "loaded") & (enough["figure"] == "coincidence_5")]
    assert missing["simulated_value"].isna().all() and missing["passes"].isna().all()


def test_a_reference_run_is_judged_where_nothing_is_loaded():
    found = simulation_validation(
        sessions=sessions_of().rename(columns={"user": "user_key"}),
        observed=observed_for(1).rename(columns={"user": "user_key"}).assign(run_id=[]),
        archetypes=pd.read_csv(ARCHETYPES),
        real=TWO_FIGURES,
        limits=limits_of(1),
    )
    assert set(found["fleet"]) == {"reference_run"}
    assert set(found["run_id"]) == {"uncontrolled"}
    assert {name: str(kind) for name, kind in found.dtypes.items()} == VALIDATION


def test_the_table_judges_the_fleet_that_the_tests_simulate(
    connection: duckdb.DuckDBPyConnection, reference
):
    rows = connection.execute(
        "select * from fleet.simulation_validation where fleet = 'reference_run'"
    ).df()
    assert rows.set_index("figure")["simulated_value"].to_dict() == pytest.approx(reference)
    assert rows["passes"].all()


def test_the_table_has_the_figures_of_every_loaded_run(connection: duckdb.DuckDBPyConnection):
    runs = connection.execute(
        "select run_id, count(*) as users from staging.stg_simulator__users group by run_id"
    ).df()
    rows = connection.execute(
        """
        select * from fleet.simulation_validation
        where fleet = 'loaded' and figure in ('energy_per_session_mean', 'sessions_per_week_mean')
        """
    ).df()
    assert set(rows["run_id"]) == set(runs["run_id"])
    # the runs of the seeds have a handful of drivers
    assert rows["passes"].isna().all()
