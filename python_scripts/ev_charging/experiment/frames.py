"""Columns and types of the result frames of an experiment, in one place.

A dbt Python model has no contract, and a frame without rows has no types of its own: every result
frame is made here.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

TEXT = "str"
NUMBER = "float64"
COUNT = "Int64"
FLAG = "boolean"

RESULTS = {
    "experiment_id": TEXT,
    "treatment_variant": TEXT,
    "metric": TEXT,
    "method": TEXT,
    "role": TEXT,
    "method_family": TEXT,
    "unit_of_analysis": TEXT,
    "users_control": COUNT,
    "users_treatment": COUNT,
    "denominator_control": NUMBER,
    "denominator_treatment": NUMBER,
    "control_value": NUMBER,
    "treatment_value": NUMBER,
    "difference": NUMBER,
    "standard_error": NUMBER,
    "ci_low": NUMBER,
    "ci_high": NUMBER,
    "p_value": NUMBER,
    "p_value_holm": NUMBER,
    "relative_difference": NUMBER,
    "relative_ci_low": NUMBER,
    "relative_ci_high": NUMBER,
    "relative_interval": TEXT,
    "design_effect": NUMBER,
    "effective_sessions": NUMBER,
    "variance_reduction": NUMBER,
    "probability_to_beat": NUMBER,
    "expected_loss": NUMBER,
    "noninferiority_p_value": NUMBER,
    "is_valid": FLAG,
    "is_significant": FLAG,
    "is_noninferior": FLAG,
    "status": TEXT,
    "remark": TEXT,
}

HEALTH = {
    "experiment_id": TEXT,
    "check_name": TEXT,
    "subject": TEXT,
    "treatment_variant": TEXT,
    "value": NUMBER,
    "threshold": NUMBER,
    "p_value": NUMBER,
    "status": TEXT,
    "finding": TEXT,
}

LOOKS = {
    "experiment_id": TEXT,
    "treatment_variant": TEXT,
    "metric": TEXT,
    "day_number": COUNT,
    "users": COUNT,
    "difference": NUMBER,
    "standard_error": NUMBER,
    "fixed_ci_low": NUMBER,
    "fixed_ci_high": NUMBER,
    "fixed_p_value": NUMBER,
    "fixed_verdict": TEXT,
    "anytime_ci_low": NUMBER,
    "anytime_ci_high": NUMBER,
    "anytime_p_value": NUMBER,
    "anytime_verdict": TEXT,
    "is_last_look": FLAG,
    "status": TEXT,
}

SEGMENTS = {
    "experiment_id": TEXT,
    "treatment_variant": TEXT,
    "metric": TEXT,
    "segment": TEXT,
    "users_control": COUNT,
    "users_treatment": COUNT,
    "share_of_users": NUMBER,
    "control_value": NUMBER,
    "treatment_value": NUMBER,
    "difference": NUMBER,
    "standard_error": NUMBER,
    "ci_low": NUMBER,
    "ci_high": NUMBER,
    "relative_difference": NUMBER,
    "p_value": NUMBER,
    "p_value_adjusted": NUMBER,
    "heterogeneity_q": NUMBER,
    "heterogeneity_degrees_of_freedom": COUNT,
    "heterogeneity_p_value": NUMBER,
    "is_significant": FLAG,
    "status": TEXT,
}

POWER = {
    "experiment_id": TEXT,
    "treatment_variant": TEXT,
    "metric": TEXT,
    "method": TEXT,
    "weeks": NUMBER,
    "target_effect_pct": NUMBER,
    "users": COUNT,
    "standard_error": NUMBER,
    "mde_absolute": NUMBER,
    "mde_relative_pct": NUMBER,
    "users_needed": COUNT,
    "is_observed": FLAG,
}

DECISION = {
    "experiment_id": TEXT,
    "treatment_variant": TEXT,
    "state": TEXT,
    "reason": TEXT,
    "decision_method": TEXT,
    "users": COUNT,
    "planned_users": COUNT,
    "days": COUNT,
    "primary_metric": TEXT,
    "control_value": NUMBER,
    "treatment_value": NUMBER,
    "difference": NUMBER,
    "ci_low": NUMBER,
    "ci_high": NUMBER,
    "p_value_holm": NUMBER,
    "relative_difference": NUMBER,
    "relative_ci_low": NUMBER,
    "relative_ci_high": NUMBER,
    "mde_relative_pct": NUMBER,
    "users_needed": COUNT,
    "rollout_share": NUMBER,
    "saving_eur_per_1000_users_month": NUMBER,
    "saving_eur_low": NUMBER,
    "saving_eur_high": NUMBER,
    "saving_co2_kg_per_1000_users_month": NUMBER,
    "saving_co2_kg_low": NUMBER,
    "saving_co2_kg_high": NUMBER,
}


def typed_frame(columns: Mapping[str, str], rows: Iterable[Mapping]) -> pd.DataFrame:
    """Return rows as a frame with these columns and types; what a row doesn't name is missing.

    Infinite numbers become missing, so that a warehouse that has none reads the frame too.

    Raises:
        ValueError: a row names a column that isn't one of the frame's.
    """
    rows = list(rows)
    unknown = sorted({name for row in rows for name in row} - set(columns))
    if unknown:
        raise ValueError(f"not in the frame: {', '.join(unknown)}")
    frame = pd.DataFrame(rows, columns=list(columns)).astype(dict(columns))
    numbers = [name for name, kind in columns.items() if kind == NUMBER]
    frame[numbers] = frame[numbers].replace([np.inf, -np.inf], np.nan)
    return frame
