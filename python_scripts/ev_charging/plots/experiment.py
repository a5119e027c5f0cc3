"""What the figures of experiments share: which comparison is drawn, its colours and its words."""

from dataclasses import dataclass

import pandas as pd

from ev_charging.plots.style import BLUE, GREY

# Units whose differences read better as another one: factor and name.
_SHOWN_UNITS = {"share": (100.0, "percentage points")}


@dataclass(frozen=True)
class Arm:
    """An arm of an experiment: its name, its colour in every figure, and its rows."""

    name: str
    colour: str
    rows: pd.DataFrame


def first_comparison(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the first experiment by name: its control and its first treatment arm.

    `rows` has experiment_id and treatment_variant, which is missing in rows of the control arm.
    """
    rows = rows[rows["experiment_id"] == rows["experiment_id"].min()]
    treatment = rows["treatment_variant"]
    return rows[treatment.isna() | (treatment == treatment.dropna().min())]


def comparison_name(rows: pd.DataFrame) -> str:
    """Return which of the comparisons in `rows` is drawn, and how many there are."""
    drawn = first_comparison(rows)
    treatments = drawn["treatment_variant"].dropna()
    name = f"Experiment {drawn['experiment_id'].iloc[0]}"
    if not treatments.empty:
        name = f"{name}: {treatments.iloc[0]} against control"
    comparisons = rows[["experiment_id", "treatment_variant"]].dropna().drop_duplicates()
    return name if len(comparisons) <= 1 else f"{name} (the first of {len(comparisons)})"


def arms(rows: pd.DataFrame) -> list[Arm]:
    """Return the arms of a comparison, control first; an arm without rows is left out."""
    is_control = rows["treatment_variant"].isna()
    treatment = rows[~is_control]
    found = [Arm("control", GREY, rows[is_control])]
    if not treatment.empty:
        found.append(Arm(str(treatment["treatment_variant"].iloc[0]), BLUE, treatment))
    return [arm for arm in found if not arm.rows.empty]


def shown_unit(unit: str) -> tuple[float, str]:
    """Return the factor and the name under which differences in a unit are shown."""
    return _SHOWN_UNITS.get(unit, (1.0, unit))
