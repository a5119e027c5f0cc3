"""Frames with the same columns and types whatever is in them.

A dbt Python model has no contract, and a frame without rows has no types of its own.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

TEXT = "str"
NUMBER = "float64"
COUNT = "Int64"
FLAG = "boolean"


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
