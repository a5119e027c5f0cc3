"""Made-up experiments for tests: from sessions in numpy to the result frames."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from dbt_runner import PROJECT_ROOT
from ev_charging.experiment.arms import arms_frame
from ev_charging.experiment.decision import experiment_decision
from ev_charging.experiment.health import experiment_health
from ev_charging.experiment.looks import experiment_looks
from ev_charging.experiment.power_table import experiment_power
from ev_charging.experiment.results import experiment_results
from ev_charging.experiment.segment_results import SEGMENT_KEYS, experiment_segments
from ev_charging.experiment_feed.experiment import generate_experiment

METRICS = pd.read_csv(PROJECT_ROOT / "seeds" / "reference" / "experiment_metrics.csv")
PRIMARIES = ("low_price_share", "energy_per_session")
SHARES = ("low_price_share", "peak_hour_share")
PLAN = {
    "hypothesis": "Made up",
    "control_variant": "control",
    "starts_on": pd.Timestamp("2024-10-21"),
    "ends_on": pd.Timestamp("2024-11-03"),
    "days": 14,
    "planned_days": np.nan,
    "planned_users": 400,
    "control_share": np.nan,
    "min_days": 14,
    "alpha": 0.05,
    "power": 0.8,
    "sample_ratio_alpha": 0.001,
    "max_mixed_share": 0.01,
    "activity_alpha": 0.01,
    "bootstrap_replicates": 50,
    "bootstrap_seed": 42,
}
NO_SESSION_FAULTS = {
    "flags_compared": 0,
    "flags_agreeing": 0,
    "costs_compared": 0,
    "costs_agreeing": 0,
    "before_assignment": 0,
    "after_end": 0,
    "mixed_users": 0,
    "unknown_users": 0,
    "delivered": 1000,
    "users_assigned_late": 0,
    "days": 14,
    "days_with_sessions": 14,
}


@dataclass(frozen=True)
class Effects:
    """What the treatment does: added to a probability, or a factor."""

    low_price: float = 0.0
    energy: float = 1.0
    activity: float = 1.0
    cost: float = 1.0


@dataclass(frozen=True)
class Experiment:
    """An experiment with its users and sessions.

    Attributes:
        users: user_key, variant, segment, and the totals of the pre-period.
        sessions: user_key, day_number, low, peak, energy, cost, co2; nan = not delivered.
        mixed: number of users in both arms, who are left out of `users`.
        plan: differences to PLAN.
        session_faults: differences to NO_SESSION_FAULTS.
    """

    users: pd.DataFrame
    sessions: pd.DataFrame
    experiment_id: str = "e1"
    mixed: int = 0
    plan: dict = field(default_factory=dict)
    session_faults: dict = field(default_factory=dict)

    @cached_property
    def experiments(self) -> pd.DataFrame:
        return pd.DataFrame([{"experiment_id": self.experiment_id} | PLAN | self.plan])

    @cached_property
    def user_metrics(self) -> pd.DataFrame:
        """The rows of the mart experiment_users."""
        users = self.users.set_index("user_key")
        frames = []
        for metric in METRICS["metric"]:
            sums = _totals(self.sessions, metric).groupby(level="user_key").sum()
            sums = sums.reindex(users.index, fill_value=0.0)
            if metric == "sessions_per_user":
                sums["denominator"] = 1.0
            before = _pre_totals(users, metric)
            frames.append(
                pd.concat([users[["variant", "segment"]], sums, before], axis="columns").assign(
                    metric=metric
                )
            )
        return pd.concat(frames).reset_index().assign(experiment_id=self.experiment_id)

    @cached_property
    def arms(self) -> pd.DataFrame:
        return arms_frame(self.user_metrics)

    @cached_property
    def segment_arms(self) -> pd.DataFrame:
        is_primary = self.user_metrics["metric"].isin(PRIMARIES)
        return arms_frame(self.user_metrics[is_primary], SEGMENT_KEYS)

    @cached_property
    def values(self) -> pd.DataFrame:
        """The rows of int_experiment_values, a bin per value."""
        variants = self.users.set_index("user_key")["variant"]
        frames = []
        for metric in METRICS.loc[METRICS["counts_sessions"], "metric"]:
            value = _totals(self.sessions, metric)
            value = value.loc[value["denominator"] > 0, "numerator"]
            bins = pd.DataFrame(
                {
                    "variant": variants.reindex(value.index).to_numpy(),
                    "value_bin": value.to_numpy(),
                }
            )
            counted = bins.groupby(["variant", "value_bin"]).size().rename("sessions").reset_index()
            frames.append(counted.assign(metric=metric))
        values = pd.concat(frames)
        return values.assign(
            experiment_id=self.experiment_id,
            value_sum=values["value_bin"] * values["sessions"],
            value_square_sum=values["value_bin"] ** 2 * values["sessions"],
        )

    @cached_property
    def days(self) -> pd.DataFrame:
        """The days frame of `looks.aggregate_user_days`."""
        rows = []
        for variant, users in self.users.groupby("variant"):
            numbers = {key: number for number, key in enumerate(sorted(users["user_key"]))}
            own = self.sessions[self.sessions["user_key"].isin(numbers)]
            for metric in PRIMARIES:
                daily = _totals(own, metric).assign(day_number=own["day_number"].to_numpy())
                daily = daily.groupby(["user_key", "day_number"]).sum().reset_index()
                rows.append(
                    {
                        "experiment_id": self.experiment_id,
                        "metric": metric,
                        "variant": variant,
                        "assigned_day": np.ones(len(users), dtype=int),
                        "user_number": daily["user_key"].map(numbers).to_numpy(dtype=int),
                        "day_number": daily["day_number"].to_numpy(dtype=int),
                        "numerator": daily["numerator"].to_numpy(dtype=float),
                        "denominator": daily["denominator"].to_numpy(dtype=float),
                    }
                )
        columns = [
            "experiment_id",
            "metric",
            "variant",
            "assigned_day",
            "user_number",
            "day_number",
        ]
        return pd.DataFrame(rows, columns=[*columns, "numerator", "denominator"])

    @cached_property
    def assignments(self) -> pd.DataFrame:
        counts = self.users.groupby(["segment", "variant"]).size().rename("users").reset_index()
        if self.mixed:
            mixed = pd.DataFrame([{"segment": "flat", "variant": None, "users": self.mixed}])
            counts = pd.concat([counts, mixed])
        user_days = counts["users"] * (PLAN | self.plan)["days"]
        return counts.assign(experiment_id=self.experiment_id, user_days=user_days)

    @cached_property
    def session_counts(self) -> pd.DataFrame:
        counts = NO_SESSION_FAULTS | self.session_faults
        return pd.DataFrame([{"experiment_id": self.experiment_id} | counts])

    @cached_property
    def results(self) -> pd.DataFrame:
        return experiment_results(self.arms, self.values, self.experiments, METRICS)

    @cached_property
    def health(self) -> pd.DataFrame:
        return experiment_health(
            self.assignments, self.arms, self.session_counts, self.experiments, METRICS
        )

    @cached_property
    def segments(self) -> pd.DataFrame:
        return experiment_segments(self.segment_arms, self.experiments, METRICS)

    @cached_property
    def looks(self) -> pd.DataFrame:
        return experiment_looks(self.days, self.experiments, METRICS)

    @cached_property
    def power(self) -> pd.DataFrame:
        return experiment_power(self.results, self.experiments)

    @cached_property
    def decision(self) -> pd.DataFrame:
        return experiment_decision(self.results, self.health, self.experiments, METRICS)

    @property
    def frames(self) -> dict[str, pd.DataFrame]:
        """All result frames by the name of their mart."""
        return {
            "experiment_results": self.results,
            "experiment_health": self.health,
            "experiment_segments": self.segments,
            "experiment_looks": self.looks,
            "experiment_power": self.power,
            "experiment_decision": self.decision,
        }

    def result(self, metric: str, method: str = "delta", treatment: str = "treatment") -> pd.Series:
        """One row of the results."""
        rows = self.results.query(
            "metric == @metric and method == @method and treatment_variant == @treatment"
        )
        assert len(rows) == 1
        return rows.iloc[0]

    def check(self, name: str, subject: str) -> pd.Series:
        """One row of the health checks."""
        rows = self.health.query("check_name == @name and subject == @subject")
        assert len(rows) == 1, (name, subject, list(self.health["subject"]))
        return rows.iloc[0]

    def but(self, **changes) -> "Experiment":
        """The same experiment with other attributes."""
        return replace(self, **changes)


def make_experiment(
    users: int = 400,
    seed: int = 1,
    effects: Effects | None = None,
    variants: tuple[str, ...] = ("control", "treatment"),
    sessions_per_day: float = 0.5,
    **attributes,
) -> Experiment:
    """Users of very different habits who charge for 14 days; every treatment does the same."""
    random = np.random.default_rng(seed)
    effects = effects or Effects()
    variant = np.array(variants)[random.permutation(users) % len(variants)]
    is_treated = variant != "control"
    habit = {
        "rate": sessions_per_day * random.gamma(4, 1 / 4, users),
        "low": random.beta(2, 3, users),
        "energy": random.gamma(9, 13 / 9, users),
        "cost": random.normal(0.08, 0.01, users),
    }
    before = _draw_sessions(random, habit, 28)
    treated = {
        "rate": habit["rate"] * np.where(is_treated, effects.activity, 1),
        "low": np.clip(habit["low"] + np.where(is_treated, effects.low_price, 0), 0, 1),
        "energy": habit["energy"] * np.where(is_treated, effects.energy, 1),
        "cost": habit["cost"] * np.where(is_treated, effects.cost, 1),
    }
    frame = pd.DataFrame(
        {
            "user_key": [f"{number:06d}" for number in range(users)],
            "variant": variant,
            "segment": random.choice(["flat", "house"], users),
        }
    )
    sums = before.groupby("user_key").agg(
        pre_sessions=("low", "size"),
        pre_low_price_sessions=("low", "sum"),
        pre_peak_sessions=("peak", "sum"),
        pre_energy_kwh=("energy", "sum"),
        pre_low_price_energy_kwh=("low_energy", "sum"),
        pre_cost_eur=("cost", "sum"),
        pre_co2_g=("co2", "sum"),
    )
    frame = frame.join(sums, on="user_key")
    frame[list(sums)] = frame[list(sums)].fillna(0.0)
    return Experiment(frame, _draw_sessions(random, treated, 14), **attributes)


def together(*experiments: Experiment) -> dict[str, pd.DataFrame]:
    """The result frames of several experiments computed at once."""

    def joined(name: str) -> pd.DataFrame:
        return pd.concat([getattr(one, name) for one in experiments], ignore_index=True)

    plans = joined("experiments")
    results = experiment_results(joined("arms"), joined("values"), plans, METRICS)
    health = experiment_health(
        joined("assignments"), joined("arms"), joined("session_counts"), plans, METRICS
    )
    return {
        "experiment_results": results,
        "experiment_health": health,
        "experiment_segments": experiment_segments(joined("segment_arms"), plans, METRICS),
        "experiment_looks": experiment_looks(joined("days"), plans, METRICS),
        "experiment_power": experiment_power(results, plans),
        "experiment_decision": experiment_decision(results, health, plans, METRICS),
    }


def generated(plan: dict | None = None, **arguments) -> Experiment:
    """The project's own made-up experiment with all that is wrong with it, users in both arms too.

    Arguments as of `generate_experiment`. Carbon is taken from the hour in which charging starts.
    """
    made = generate_experiment(**arguments)
    is_mixed = made.users.duplicated("user_id", keep=False)
    users = made.users[~is_mixed].rename(columns={"user_id": "user_key"}).reset_index(drop=True)
    sessions = made.sessions[made.sessions["user_id"].isin(users["user_key"])]
    local = sessions["charging_started_at"].dt.tz_localize("UTC").dt.tz_convert("Europe/Oslo")
    plugged_in = sessions["plugged_in_at"].dt.tz_localize("UTC").dt.tz_convert("Europe/Oslo")
    first_day = pd.Timestamp(made.truth["design"]["starts_on"])
    carbon = made.prices.set_index("starts_at")["g_co2_per_kwh"]
    low = sessions["in_low_price_window"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    rows = pd.DataFrame(
        {
            "user_key": sessions["user_id"].to_numpy(),
            "day_number": (plugged_in.dt.tz_localize(None).dt.normalize() - first_day).dt.days + 1,
            "low": low,
            "peak": local.dt.hour.between(17, 20).astype(float),
            "energy": sessions["energy_kwh"],
            "low_energy": low * sessions["energy_kwh"],
            "cost": sessions["cost_eur"],
            "co2": sessions["energy_kwh"]
            * carbon.reindex(sessions["charging_started_at"].dt.floor("h")).to_numpy(),
        }
    ).reset_index(drop=True)
    design = made.truth["design"]
    return Experiment(
        users,
        rows,
        experiment_id=made.truth["experiment_id"],
        mixed=int(is_mixed.sum()) // 2,
        plan={"days": design["days"], "planned_users": design["users"]} | (plan or {}),
    )


def _draw_sessions(
    random: np.random.Generator, habit: dict[str, np.ndarray], days: int
) -> pd.DataFrame:
    counts = random.poisson(habit["rate"] * days)
    user = np.repeat(np.arange(len(counts)), counts)
    total = len(user)
    energy = habit["energy"][user] * random.gamma(4, 1 / 4, total)
    low = (random.random(total) < habit["low"][user]).astype(float)
    return pd.DataFrame(
        {
            "user_key": [f"{number:06d}" for number in user],
            "day_number": random.integers(1, days + 1, total),
            "low": low,
            "peak": (random.random(total) < 0.2).astype(float),
            "energy": energy,
            "low_energy": low * energy,
            "cost": energy * habit["cost"][user] * (1 - 0.3 * low),
            "co2": energy * random.normal(30, 2, total),
        }
    )


_NUMERATORS = {
    "low_price_share": "low",
    "energy_per_session": "energy",
    "sessions_per_user": None,
    "low_price_energy_share": "low_energy",
    "cost_per_kwh": "cost",
    "gco2_per_kwh": "co2",
    "peak_hour_share": "peak",
}
_PER_ENERGY = ("low_price_energy_share", "cost_per_kwh", "gco2_per_kwh")
_PRE_NUMERATORS = {
    "low_price_share": "pre_low_price_sessions",
    "energy_per_session": "pre_energy_kwh",
    "sessions_per_user": "pre_sessions",
    "low_price_energy_share": "pre_low_price_energy_kwh",
    "cost_per_kwh": "pre_cost_eur",
    "gco2_per_kwh": "pre_co2_g",
    "peak_hour_share": "pre_peak_sessions",
}


def _totals(sessions: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Numerator and denominator of each session; a value that is missing is in neither."""
    column = _NUMERATORS[metric]
    value = sessions[column] if column else pd.Series(1.0, index=sessions.index)
    whole = sessions["energy"] if metric in _PER_ENERGY else pd.Series(1.0, index=sessions.index)
    is_known = value.notna() & whole.notna()
    return pd.DataFrame(
        {
            "user_key": sessions["user_key"],
            "numerator": value.where(is_known, 0.0),
            "denominator": whole.where(is_known, 0.0),
        }
    ).set_index("user_key")


def _pre_totals(users: pd.DataFrame, metric: str) -> pd.DataFrame:
    whole = "pre_energy_kwh" if metric in _PER_ENERGY else "pre_sessions"
    numerator = users[_PRE_NUMERATORS[metric]]
    denominator = 1.0 if metric == "sessions_per_user" else users[whole]
    return pd.DataFrame({"pre_numerator": numerator, "pre_denominator": denominator}).where(
        numerator.notna(), np.nan
    )
