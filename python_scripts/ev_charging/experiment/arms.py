"""From the table of users to the arms of every metric."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from ev_charging.experiment.arm import Arm

ARM_KEYS = ("experiment_id", "metric", "variant")
TOTALS = ("numerator", "denominator", "pre_numerator", "pre_denominator")
# Stands for the treatment of an experiment that has none.
NO_VARIANT = "none"
NO_ARM = Arm(np.empty(0), np.empty(0))


@dataclass(frozen=True, eq=False)
class Comparison:
    """A treatment and the control arm of an experiment.

    Attributes:
        experiment: its row of int_experiments.
        treatment: the variant that is compared with the control.
        arms: the arms of the experiment by metric and variant.
    """

    experiment: Any
    treatment: str
    arms: Mapping[tuple[Hashable, str], Arm] = field(repr=False)

    @property
    def control(self) -> str:
        """Return the variant of the control arm."""
        return self.experiment.control_variant

    @property
    def key(self) -> dict[str, str]:
        """Return the columns that name the comparison."""
        return {
            "experiment_id": self.experiment.experiment_id,
            "treatment_variant": self.treatment,
        }

    def pair(self, metric: Hashable) -> tuple[Arm, Arm]:
        """Return the control and the treatment arm of a metric, empty ones where missing."""
        return (
            self.arms.get((metric, self.control), NO_ARM),
            self.arms.get((metric, self.treatment), NO_ARM),
        )


def aggregate_arms(users: duckdb.DuckDBPyRelation, keys: Sequence[str] = ARM_KEYS) -> pd.DataFrame:
    """Return the arms frame of the relation experiment_users, aggregated in DuckDB.

    One list per user and total would be sorted four times; a struct is sorted once.

    Args:
        users: rows per user and metric.
        keys: columns that make up an arm.

    Returns:
        One row per arm, ordered by `keys`, with an array per total: float64, shape (users,), in
        the order of `user_key`, nan where nothing was delivered.
    """
    names = ", ".join(keys)
    packed = ", ".join(f"{name} := coalesce(cast({name} as double), 'nan')" for name in TOTALS)
    unpacked = ", ".join(f"list_transform(totals, lambda row: row.{name})" for name in TOTALS)
    frame = users.query(
        "rows_of_users",
        f"""
        with arms as (
            select {names}, list(struct_pack(user_key, {packed}) order by user_key) as totals
            from rows_of_users
            group by {names}
        )
        select {names}, {unpacked} from arms order by {names}
        """,
    ).df()
    return frame.set_axis([*keys, *TOTALS], axis="columns")


def arms_frame(users: pd.DataFrame, keys: Sequence[str] = ARM_KEYS) -> pd.DataFrame:
    """Return the arms frame of a frame like experiment_users, without a warehouse."""
    ordered = users.sort_values([*keys, "user_key"]).astype(dict.fromkeys(TOTALS, "float64"))
    rows = [
        {**dict(zip(keys, key, strict=True)), **{name: rows[name].to_numpy() for name in TOTALS}}
        for key, rows in ordered.groupby(list(keys), sort=True)
    ]
    return pd.DataFrame(rows, columns=[*keys, *TOTALS])


def read_arms(frame: pd.DataFrame, keys: Sequence[str] = ARM_KEYS) -> dict[tuple, Arm]:
    """Return the arms of an arms frame by their key; a pre-period that nobody has is None."""
    return {
        tuple(row[key] for key in keys): Arm(
            row["numerator"],
            row["denominator"],
            _delivered(row["pre_numerator"]),
            _delivered(row["pre_denominator"]),
        )
        for row in frame.to_dict("records")
    }


def comparisons(arms: Mapping[tuple, Arm], experiments: pd.DataFrame) -> Iterator[Comparison]:
    """Yield every variant of every experiment against its control, in the order of their names.

    Args:
        arms: by experiment_id, metric and variant.
        experiments: rows of int_experiments.

    An experiment without any treatment is compared with an arm of nobody.
    """
    for experiment in experiments.sort_values("experiment_id").itertuples():
        own = {key[1:]: arm for key, arm in arms.items() if key[0] == experiment.experiment_id}
        variants = {variant for _, variant in own} - {experiment.control_variant}
        for variant in sorted(variants) or [NO_VARIANT]:
            yield Comparison(experiment, variant, own)


def _delivered(values: np.ndarray) -> np.ndarray | None:
    return None if np.isnan(values).all() else values
