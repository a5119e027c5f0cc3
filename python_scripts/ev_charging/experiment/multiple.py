"""Several tests at once: adjusted p-values (F10)."""

import gc
from collections.abc import Sequence

import numpy as np
from statsmodels.stats.multitest import multipletests


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Return Holm's adjusted p-values (family-wise error rate), in the same order.

    nan = not tested: it stays nan and doesn't count.
    """
    return _adjusted(p_values, "holm")


def benjamini_hochberg(p_values: Sequence[float]) -> np.ndarray:
    """Return Benjamini and Hochberg's adjusted p-values (false discovery rate); nan as above."""
    return _adjusted(p_values, "fdr_bh")


def _adjusted(p_values: Sequence[float], method: str) -> np.ndarray:
    adjusted = np.array(p_values, dtype=float)
    is_tested = ~np.isnan(adjusted)
    if is_tested.any():
        # statsmodels collects garbage after Holm, which takes long in a process that holds much,
        # as dbt's does: what is there is set aside for the moment.
        gc.freeze()
        try:
            adjusted[is_tested] = multipletests(adjusted[is_tested], method=method)[1]
        finally:
            gc.unfreeze()
    return adjusted
