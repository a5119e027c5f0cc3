"""A metric as a decision sees it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from ev_charging.experiment.effect import NO_VARIANCE, OK
from ev_charging.experiment.regression import USERS_FOR_NORMAL
from ev_charging.experiment.wording import change, change_interval


@dataclass(frozen=True)
class Finding:
    """What the method that decides says about a metric.

    Attributes:
        metric, label, unit: names for sentences.
        role: 'primary' or 'guardrail'.
        sign: 1 where higher is better, -1 where lower is.
        margin: how much worse a guardrail may be, as a share of the control; nan = no margin.
        worthwhile: smallest worthwhile relative change of a primary, 0.05 = 5 %; else nan.
        is_significant: verdict of the method; False where there is none.
        is_harmless: whether it is shown not to be worse by more than its margin, or has none.
        row: its row of experiment_results.
    """

    metric: str
    label: str
    unit: str
    role: str
    sign: int
    margin: float
    worthwhile: float
    is_significant: bool
    is_harmless: bool
    row: Any = field(repr=False)

    @property
    def is_better(self) -> bool:
        """Return whether the metric is significantly better."""
        return self.is_significant and self.sign * self.row.difference > 0

    @property
    def is_worse(self) -> bool:
        """Return whether the metric is significantly worse."""
        return self.is_significant and self.sign * self.row.difference < 0

    @property
    def uplift(self) -> float:
        """Return the relative change in the good direction."""
        return self.sign * self.row.relative_difference

    @property
    def uplift_interval(self) -> tuple[float, float]:
        """Return the interval of the uplift; nan where there is none."""
        low, high = self.sign * self.row.relative_ci_low, self.sign * self.row.relative_ci_high
        return (low, high) if self.sign > 0 else (high, low)

    @property
    def text(self) -> str:
        """Return the effect in words."""
        row = self.row
        if row.status != OK:
            return f"'{self.label}' could not be compared"
        interval = change_interval(row.ci_low, row.ci_high, self.unit)
        return f"'{self.label}' {change(row.difference, self.unit)} ({interval})"


def decision_method(results: pd.DataFrame) -> str:
    """Return the method that decides a comparison, a rule fixed before any result is seen.

    'hc3' below 100 users in an arm, else 'cuped' where every primary has a pre-period, else
    'delta'.

    Args:
        results: rows of experiment_results of one comparison.
    """
    # A metric that nobody computes has no users; the others all have the same.
    if results[["users_control", "users_treatment"]].max().min() < USERS_FOR_NORMAL:
        return "hc3"
    adjusted = results[(results["role"] == "primary") & (results["method"] == "cuped")]
    return "cuped" if (adjusted["status"] == OK).all() and len(adjusted) else "delta"


def read_findings(results: pd.DataFrame, metrics: pd.DataFrame, method: str) -> list[Finding]:
    """Return the metrics of one comparison, by the method that decides.

    A guardrail which that method can't compute is judged by the delta method, and so is
    non-inferiority where the method has no test of it.

    Args:
        results: rows of experiment_results of one comparison.
        metrics: rows of the seed experiment_metrics.
        method: as of `decision_method`.
    """
    verdicts = {
        name: results[name].astype("boolean").fillna(False).astype(bool)
        for name in ("is_significant", "is_noninferior")
    }
    results = results.assign(**verdicts)
    rows = {
        wanted: {row.metric: row for row in results[results["method"] == wanted].itertuples()}
        for wanted in ("delta", method)
    }
    return [
        _finding(metric, rows[method], rows["delta"])
        for metric in metrics.sort_values("metric").itertuples()
    ]


def _finding(metric: Any, by_method: Mapping[str, Any], by_delta: Mapping[str, Any]) -> Finding:
    plain = by_delta[metric.metric]
    row = by_method[metric.metric]
    if row.status != OK and metric.role != "primary":
        row = plain
    return Finding(
        metric=metric.metric,
        label=metric.label,
        unit=metric.unit,
        role=metric.role,
        sign=1 if metric.better == "higher" else -1,
        margin=metric.noninferiority_margin_pct / 100,
        worthwhile=metric.worthwhile_uplift_pct / 100,
        is_significant=bool(row.is_significant),
        is_harmless=_is_harmless(metric, row, plain),
        row=row,
    )


def _is_harmless(metric: Any, row: Any, plain: Any) -> bool:
    margin = metric.noninferiority_margin_pct / 100
    if math.isnan(margin):
        return True
    if row.status == NO_VARIANCE:
        # Users who are all alike leave nothing to test: the figure itself decides.
        loss = -row.difference if metric.better == "higher" else row.difference
        return loss <= margin * abs(row.control_value)
    tested = plain if math.isnan(row.noninferiority_p_value) else row
    return bool(tested.is_noninferior)
