"""The health checks find what is wrong with an experiment, and only that."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from ev_charging.experiment.assignment_checks import count_assignments
from ev_charging.experiment.health import experiment_health
from ev_charging.experiment.session_checks import count_sessions
from experiment_cases import METRICS, Effects, Experiment, make_experiment

CHECKS = {
    "assignment_present",
    "both_arms_present",
    "mixed_users",
    "sample_ratio",
    "users_per_arm",
    "pre_period_balance",
    "sessions_per_user",
    "users_with_sessions",
    "missing_values",
    "largest_user_share",
    "low_price_flag_agreement",
    "delivered_cost_agreement",
    "sessions_outside_experiment",
    "sessions_of_unknown_users",
    "days_with_sessions",
    "users_assigned_late",
    "days_per_user",
}


@pytest.fixture(scope="module")
def sound() -> Experiment:
    return make_experiment(
        seed=5,
        session_faults={
            "flags_compared": 1000,
            "flags_agreeing": 990,
            "costs_compared": 1000,
            "costs_agreeing": 1000,
        },
    )


def lopsided(control: int, treatment: int, segment: str = "flat") -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"experiment_id": "e1", "segment": segment, "variant": "control", "users": control},
            {"experiment_id": "e1", "segment": segment, "variant": "treatment", "users": treatment},
        ]
    )


def judged(experiment: Experiment, assignments: pd.DataFrame) -> pd.DataFrame:
    health = experiment_health(
        assignments.assign(user_days=14 * assignments["users"]),
        experiment.arms,
        experiment.session_counts,
        experiment.experiments,
        METRICS,
    )
    return health.set_index(["check_name", "subject"])


def test_a_sound_experiment_has_every_check_and_no_alarm(sound):
    assert set(sound.health["check_name"]) == CHECKS
    assert set(sound.health["status"]) == {"ok"}, sound.health[sound.health["status"] != "ok"]


def test_a_broken_sample_ratio_is_an_alarm(sound):
    health = judged(sound, lopsided(1000, 800))
    whole = health.loc[("sample_ratio", "experiment")]
    assert whole["status"] == "alarm"
    assert whole["p_value"] == pytest.approx(2.4e-6, rel=0.05)
    assert "1,000 in control, 800 in treatment" in whole["finding"]


def test_a_broken_segment_is_found_where_the_whole_is_balanced(sound):
    counts = pd.concat([lopsided(300, 200, "flat"), lopsided(700, 800, "house")])
    health = judged(sound, counts)
    assert health.loc[("sample_ratio", "experiment"), "status"] == "ok"
    assert health.loc[("sample_ratio", "segment flat"), "status"] == "alarm"
    assert health.loc[("sample_ratio", "segment house"), "status"] == "ok"


def test_a_segment_without_an_arm_is_compared_with_nobody(sound):
    counts = pd.concat([lopsided(500, 500, "flat"), lopsided(40, 0, "house").head(1)])
    row = judged(sound, counts).loc[("sample_ratio", "segment house")]
    assert row["status"] == "alarm"
    assert "40 in control, 0 in treatment" in row["finding"]


@pytest.mark.parametrize(("mixed", "status"), [(4, "ok"), (5, "alarm")])
def test_mixed_users_are_an_alarm_above_one_percent(mixed, status):
    made = make_experiment(users=400 - mixed, mixed=mixed)
    row = made.check("mixed_users", "experiment")
    assert row["status"] == status
    assert row["value"] == mixed / 400
    assert f"{mixed} of 400 users" in row["finding"]


@pytest.mark.parametrize(
    ("variants", "finding"),
    [
        (("control",), "Nobody is in a treatment arm."),
        (("treatment",), "Nobody is in the control arm 'control'."),
    ],
)
def test_a_missing_arm_is_an_alarm(variants, finding):
    row = make_experiment(users=20, variants=variants).check("both_arms_present", "experiment")
    assert (row["status"], row["finding"]) == ("alarm", finding)


@pytest.mark.parametrize(
    ("users", "status", "words"),
    [(98, "warning", "too few"), (100, "ok", "HC3"), (200, "ok", "100 users.")],
)
def test_few_users_are_told(users, status, words):
    row = make_experiment(users=users).check("users_per_arm", "control")
    assert row["status"] == status
    assert words in row["finding"]


def test_arms_that_differed_before_are_a_warning(sound):
    users = sound.users.copy()
    is_treated = users["variant"] == "treatment"
    users.loc[is_treated, "pre_low_price_sessions"] = users["pre_sessions"]
    health = sound.but(users=users)
    row = health.check("pre_period_balance", "low_price_share, treatment")
    assert row["status"] == "warning"
    assert row["p_value"] < 0.01
    assert health.check("pre_period_balance", "cost_per_kwh, treatment")["status"] == "ok"


def test_a_moved_denominator_is_a_warning():
    made = make_experiment(users=1000, effects=Effects(activity=1.4))
    row = made.check("sessions_per_user", "treatment")
    assert row["status"] == "warning"
    assert row["value"] > 0
    assert row["treatment_variant"] == "treatment"


def test_users_who_stop_charging_are_a_warning():
    made = make_experiment(users=1000, sessions_per_day=0.2, effects=Effects(activity=0.4))
    row = made.check("users_with_sessions", "treatment")
    assert row["status"] == "warning"
    assert row["value"] < 0


def test_values_that_are_missing_in_one_arm_are_a_warning(sound):
    treated = sound.users.loc[sound.users["variant"] == "treatment", "user_key"]
    sessions = sound.sessions.copy()
    is_lost = sessions["user_key"].isin(treated) & (np.arange(len(sessions)) % 5 == 0)
    sessions.loc[is_lost, "low"] = np.nan
    made = sound.but(sessions=sessions)
    row = made.check("missing_values", "low_price_share, treatment")
    assert row["status"] == "warning"
    assert row["value"] == pytest.approx(is_lost.mean())
    assert "0.0 % in control" in row["finding"]
    assert made.check("missing_values", "energy_per_session, treatment")["status"] == "ok"


def test_values_that_are_missing_in_both_arms_are_counted(sound):
    sessions = sound.sessions.copy()
    is_lost = np.random.default_rng(0).random(len(sessions)) < 0.1
    sessions.loc[is_lost, "cost"] = np.nan
    row = sound.but(sessions=sessions).check("missing_values", "cost_per_kwh, treatment")
    assert row["status"] == "ok"
    assert row["value"] == pytest.approx(
        sessions.loc[is_lost, "energy"].sum() / sessions["energy"].sum()
    )


def test_a_user_with_half_of_all_sessions_is_a_warning(sound):
    whale = sound.sessions.assign(user_key=sound.users["user_key"].iloc[0])
    made = sound.but(sessions=pd.concat([sound.sessions, whale], ignore_index=True))
    row = made.check("largest_user_share", "experiment")
    assert row["status"] == "warning"
    assert row["value"] >= 0.5


@pytest.mark.parametrize(("agreeing", "status"), [(950, "ok"), (949, "warning")])
def test_delivered_values_that_disagree_are_a_warning(sound, agreeing, status):
    counts = {"flags_compared": 1000, "flags_agreeing": agreeing}
    made = sound.but(session_faults=counts | {"costs_compared": 1000, "costs_agreeing": agreeing})
    assert made.check("low_price_flag_agreement", "experiment")["status"] == status
    assert made.check("delivered_cost_agreement", "experiment")["status"] == status


def test_sessions_that_do_not_count_are_counted(sound):
    made = sound.but(session_faults={"before_assignment": 3})
    assert made.check("sessions_outside_experiment", "before_assignment")["value"] == 3
    assert made.check("sessions_outside_experiment", "after_end")["value"] == 0
    assert set(made.health.query("check_name == 'sessions_outside_experiment'")["status"]) == {"ok"}


def test_arms_of_planned_unequal_size_are_sound(sound):
    assert judged(sound, lopsided(800, 200)).loc[("sample_ratio", "experiment"), "status"] == (
        "alarm"
    )
    planned = sound.but(plan={"control_share": 0.8})
    health = judged(planned, lopsided(800, 200))
    assert health.loc[("sample_ratio", "experiment"), "p_value"] == pytest.approx(1)
    assert judged(planned, lopsided(500, 500)).loc[("sample_ratio", "segment flat"), "status"] == (
        "alarm"
    )


def test_many_segments_share_one_level(sound):
    segments = [lopsided(100, 100, f"s{number}") for number in range(9)]
    broken = lopsided(100, 150, "x")
    alone = judged(sound, broken)
    together = judged(sound, pd.concat([*segments, broken]))
    key = ("sample_ratio", "segment x")
    assert alone.loc[key, "threshold"] == pytest.approx(0.001)
    assert together.loc[key, "threshold"] == pytest.approx(0.0001)
    assert together.loc[key, "p_value"] == alone.loc[key, "p_value"]
    assert together.loc[key, "finding"].startswith("In segment x: ")


@pytest.mark.parametrize(
    ("name", "at_the_limit", "beyond"),
    [
        ("sessions_of_unknown_users", {"unknown_users": 50}, {"unknown_users": 51}),
        (
            "days_with_sessions",
            {"days": 20, "days_with_sessions": 18},
            {"days": 20, "days_with_sessions": 17},
        ),
        ("users_assigned_late", {"users_assigned_late": 0}, {"users_assigned_late": 1}),
    ],
)
def test_what_hardly_happens_in_sound_data_is_a_warning(sound, name, at_the_limit, beyond):
    assert sound.but(session_faults=at_the_limit).check(name, "experiment")["status"] == "ok"
    assert sound.but(session_faults=beyond).check(name, "experiment")["status"] == "warning"


def test_days_without_any_session_that_counts_are_not_judged(sound):
    made = sound.but(session_faults={"days": 0, "days_with_sessions": 0})
    assert made.check("days_with_sessions", "experiment")["status"] == "not_available"


def test_a_metric_that_nobody_computes_is_not_available(sound):
    arms = sound.arms[sound.arms["metric"] != "sessions_per_user"]
    health = experiment_health(
        sound.assignments, arms, sound.session_counts, sound.experiments, METRICS
    ).set_index(["check_name", "subject"])
    for key in (
        ("largest_user_share", "experiment"),
        ("sessions_per_user", "treatment"),
        ("missing_values", "low_price_share, treatment"),
    ):
        assert health.loc[key, "status"] == "not_available"


def test_sessions_are_counted_by_reason_in_duckdb():
    with duckdb.connect() as connection:
        experiments = connection.sql(
            "select 'e1' as experiment_id, timestamp '2024-10-21' as starts_at,"
            " timestamp '2024-11-04' as planned_end_at, 14 as days"
            " union all select 'e2', timestamp '2024-10-21', null, 0"
        )
        assignments = connection.sql(
            """
            select * from (values
                ('e1', 'u1', 'k1', 'control', 'flat', timestamp '2024-10-22', false),
                ('e1', 'u2', 'k2', 'treatment', 'flat', timestamp '2024-10-20', false),
                ('e1', 'u3', 'k3', null, 'flat', timestamp '2024-10-20', true),
                ('e1', 'u4', 'k4', 'control', 'late', timestamp '2024-11-04', false)
            ) as rows (experiment_id, user_id, user_key, variant, segment, assigned_at, is_mixed)
            """
        )
        delivered = connection.sql(
            """
            select * from (values
                ('u1', timestamp '2024-10-21 12:00'),
                ('u1', timestamp '2024-10-22 12:00'),
                ('u2', timestamp '2024-10-20 12:00'),
                ('u2', timestamp '2024-11-04 00:00'),
                ('u2', timestamp '2024-11-03 23:59'),
                ('u3', timestamp '2024-10-25 00:00'),
                ('u9', timestamp '2024-10-25 00:00')
            ) as rows (user_id, plugged_in_at)
            """
        )
        counted = connection.sql(
            """
            select
                'e1' as experiment_id, day_number, delivered_is_low_price, priced_is_low_price,
                delivered_cost::decimal(18, 6) as delivered_cost_eur,
                priced_cost::decimal(18, 6) as priced_cost_eur
            from (values
                (1, true, true, 1.00, 1.005),
                (1, true, false, 50.0, 50.4),
                (2, null, true, 1.00, 1.02),
                (14, false, null, null, 1.0)
            ) as rows (
                day_number, delivered_is_low_price, priced_is_low_price, delivered_cost, priced_cost
            )
            """
        )
        found = count_sessions(connection, experiments, assignments, delivered, counted)
        counts = count_assignments(connection, assignments, experiments)
    first, second = found.to_dict("records")
    assert first == {
        "experiment_id": "e1",
        "flags_compared": 2,
        "flags_agreeing": 1,
        "costs_compared": 3,
        "costs_agreeing": 2,
        "before_assignment": 2,
        "after_end": 1,
        "mixed_users": 1,
        "unknown_users": 1,
        "delivered": 7,
        "users_assigned_late": 1,
        "days": 14,
        "days_with_sessions": 3,
    }
    assert second["unknown_users"] == 1
    assert second["flags_compared"] == second["before_assignment"] == 0
    assert counts["users"].tolist() == [1, 1, 1, 1]
    # from their assignment to the end; the one who came after it has none
    assert sorted(counts["user_days"]) == [0, 13, 14, 14]
    assert counts["variant"].isna().sum() == 1
