"""Arms of experiments for tests: made-up ones, and the golden ones with known answers."""

import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from ev_charging.experiment.arm import Arm
from ev_charging.experiment.naive import SessionValues

GOLDEN = Path(os.environ.get("EV_REAL_DATA") or "nowhere") / "experiment_golden"
GOLDEN_EXPERIMENTS = ("basic", "aa_null")
METRICS = ("low_price_share", "energy_per_session")
_SESSION_COLUMN = {"low_price_share": "in_low_price_window", "energy_per_session": "energy_kwh"}
_PRE_COLUMN = {"low_price_share": "pre_low_sessions", "energy_per_session": "pre_energy_kwh"}


@dataclass(frozen=True)
class GoldenExperiment:
    """Users, sessions, and the answers of other people's libraries."""

    users: pd.DataFrame
    sessions: pd.DataFrame
    expected: pd.DataFrame
    summary: dict

    def arms(self, metric: str, segment: str | None = None) -> tuple[Arm, Arm]:
        """Control and treatment with their pre-period."""
        values = self.sessions.groupby("user_id")[_SESSION_COLUMN[metric]].agg(["sum", "count"])
        users = self.users.join(values, on="user_id").fillna({"sum": 0, "count": 0})
        if segment:
            users = users[users["segment"] == segment]
        columns = ("sum", "count", _PRE_COLUMN[metric], "pre_sessions")
        control, treatment = (
            Arm(*(users.loc[users["variant"] == variant, column].to_numpy() for column in columns))
            for variant in ("control", "treatment")
        )
        return control, treatment

    def session_values(self, metric: str) -> tuple[SessionValues, SessionValues]:
        """Control and treatment, sessions of the same value in one bin."""
        control, treatment = (
            binned(
                self.sessions.loc[
                    self.sessions["variant"] == variant, _SESSION_COLUMN[metric]
                ].to_numpy(dtype=float)
            )
            for variant in ("control", "treatment")
        )
        return control, treatment

    def answer(self, metric: str, method: str, library: str) -> pd.Series:
        """The row of the expected results."""
        is_row = (self.expected["metric"] == metric) & (self.expected["method"] == method)
        rows = self.expected[is_row & self.expected["library"].str.startswith(library)]
        assert len(rows) == 1, (metric, method, library)
        return rows.iloc[0]


@cache
def golden(name: str) -> GoldenExperiment:
    """Read a golden experiment."""
    folder = GOLDEN / name
    return GoldenExperiment(
        users=pd.read_csv(folder / "users.csv"),
        sessions=pd.read_csv(folder / "sessions.csv"),
        expected=pd.read_csv(folder / "expected.csv"),
        summary=json.loads((folder / "expected_summary.json").read_text()),
    )


def binned(values: np.ndarray) -> SessionValues:
    """Sessions of the same value in one bin."""
    value, sessions = np.unique(values, return_counts=True)
    return SessionValues(value, sessions, value**2 * sessions)


def random_arm(seed: int, users: int = 200, shift: float = 0.0) -> Arm:
    """Users with very different numbers of sessions and shares, some without any session."""
    random = np.random.default_rng(seed)
    sessions = random.poisson(random.gamma(1.5, 5, users))
    share = random.beta(2, 3, users)
    low_price = random.binomial(sessions, np.clip(share + shift, 0, 1))
    before = random.poisson(random.gamma(1.5, 5, users))
    return Arm(low_price, sessions, random.binomial(before, share), before)
