"""Sentences about an experiment, for readers who are no statisticians."""

import math

from ev_charging.experiment import effect as codes

STATUS_SENTENCES = {
    codes.NO_CONTROL_USERS: "Not computed: nobody is in the control arm.",
    codes.NO_TREATMENT_USERS: "Not computed: nobody is in the treatment arm.",
    codes.TOO_FEW_USERS: "Not computed: an arm has too few users.",
    codes.NO_DENOMINATOR: "Not computed: an arm has no values of this metric.",
    codes.NO_VARIANCE: "Not computed: all users are alike, so that chance can't be estimated.",
    codes.NO_PRE_PERIOD: "Not computed: no totals from before the assignment were delivered.",
    codes.NOT_A_SHARE: "Not computed: the values of sessions are not yes or no.",
}


def change(value: float, unit: str) -> str:
    """Return a signed difference with its unit; that of a share in percentage points."""
    sign = "+" if value > 0 else ""
    if unit == "share":
        return f"{sign}{_rounded(100 * value)} percentage points"
    return f"{sign}{_rounded(value)} {unit}"


def change_interval(low: float, high: float, unit: str, word: str = "to") -> str:
    """Return the interval of a difference as 'low to high unit'."""
    number = change(low, unit).split(" ")[0]
    return f"{number} {word} {change(high, unit)}"


def percent(share: float, digits: int = 1) -> str:
    """Return a share in percent."""
    return f"{100 * share:.{digits}f} %"


def p_text(p_value: float) -> str:
    """Return a p-value, very small ones as a bound."""
    return "p < 0.0001" if p_value < 0.0001 else f"p = {p_value:.4f}"


def _rounded(value: float) -> str:
    digits = 2 - math.floor(math.log10(abs(value))) if value else 0
    return f"{value:,.{min(max(digits, 0), 9)}f}"
