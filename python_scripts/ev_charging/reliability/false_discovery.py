"""How many of the stations that are singled out are so by mistake."""

import numpy as np


def q_values(false_probabilities: np.ndarray) -> np.ndarray:
    """Return for each claim the share of false ones among all that are at least as certain.

    The mean of the probabilities of being false: the Bayesian false discovery rate (Efron 2010,
    Large-Scale Inference, chapter 5). Where a claim is the sign of a difference, they are the
    s-values of Stephens (2017, Biostatistics 18). nan = no claim: it stays nan and doesn't count.

    Args:
        false_probabilities: shape (claims,), the probability that a claim is false.
    """
    values = np.asarray(false_probabilities, dtype=float)
    ordered = np.sort(values[~np.isnan(values)])
    means = np.append(np.cumsum(ordered) / np.arange(1, len(ordered) + 1), np.nan)
    # Equal claims share the last of their places.
    places = np.searchsorted(ordered, values, side="right") - 1
    return np.where(np.isnan(values), np.nan, means[places])
