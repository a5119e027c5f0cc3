"""The user bootstrap: users are drawn again with replacement, each arm for itself (F7)."""

import hashlib
import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
from scipy import special

from ev_charging.experiment.arm import Arm
from ev_charging.experiment.effect import OK, TOO_FEW_USERS, Effect, check_alpha
from ev_charging.experiment.ratio import delta_method

# 2 MiB of draws and 4 MiB of totals: they stay in the cache of the processor.
_DRAWS_PER_CHUNK = 1 << 18
_MOST_THREADS = 4


def user_bootstrap(
    control: Arm,
    treatment: Arm,
    replicates: int,
    seed: int,
    stream: str,
    alpha: float = 0.05,
    threads: int | None = None,
) -> tuple[Effect, Effect, np.ndarray]:
    """Resample users within their arm and return what the difference does.

    Args:
        control, treatment: totals per assigned user.
        replicates: number of resamples, at least 2.
        seed: not negative; the same seed and stream give the same bytes.
        stream: name of what is resampled; each name has random numbers of its own.
        alpha: 1 - confidence.
        threads: how many work at a time, without influence on the result; None = all cores
            up to 4.

    Returns:
        The effect with the percentile interval, the effect with the BCa interval, and the
        differences of the replicates, shape (replicates,), nan where nobody with a denominator
        was drawn. Standard errors are the standard deviation of the replicates; there is no
        p-value. If the effect has another status than 'ok', there are no replicates.

    Raises:
        ValueError: `replicates`, `seed` or `alpha` is not valid.

    Source: Efron, *Better Bootstrap Confidence Intervals*, 1987.
    """
    if replicates < 2:
        raise ValueError("a bootstrap needs at least 2 replicates")
    check_alpha(alpha)
    effect = delta_method(control, treatment, alpha)
    if effect.status != OK:
        return effect, effect, np.empty(0)
    with ThreadPoolExecutor(threads or min(os.cpu_count() or 1, _MOST_THREADS)) as pool:
        # Both arms are handed to the pool before the first result is awaited.
        control_ratios, treatment_ratios = (
            _resampled_ratios(pool, arm, replicates, seed, stream, index)
            for index, arm in enumerate((control, treatment))
        )
        differences = np.concatenate([*treatment_ratios]) - np.concatenate([*control_ratios])
    percentile = percentile_effect(effect, differences, alpha)
    return percentile, _bca_effect(percentile, control, treatment, differences, alpha), differences


def chunk_draws(
    users: int, replicates: int, seed: int, stream: str, arm: int, chunk: int
) -> np.ndarray:
    """Return the users that each replicate of a chunk draws, with replacement.

    How often a user is drawn is that user's weight in the replicate; the weights of a replicate
    are multinomial.

    Args:
        users: number of users of the arm.
        replicates: number of replicates of the chunk.
        seed, stream: as of `user_bootstrap`.
        arm: 0 = control, 1 = treatment.
        chunk: number of the chunk, from 0.

    Returns:
        int64, shape (replicates, users): places of users, from 0.
    """
    return random_stream(seed, stream, arm, chunk).integers(users, size=(replicates, users))


def random_stream(seed: int, stream: str, *key: int) -> np.random.Generator:
    """Return random numbers that depend on seed, name and key, and on nothing else.

    Raises:
        ValueError: `seed` is negative.
    """
    name = int.from_bytes(hashlib.sha256(stream.encode()).digest()[:16])
    sequence = np.random.SeedSequence((seed, name), spawn_key=key)
    return np.random.Generator(np.random.SFC64(sequence))


def chunk_sizes(count: int, largest: int) -> list[int]:
    """Split a count into parts of the largest size and, at the end, the rest."""
    return [min(largest, count - start) for start in range(0, count, largest)]


def percentile_effect(effect: Effect, differences: np.ndarray, alpha: float) -> Effect:
    """Return the point estimates of an effect with the percentile interval of replicates."""
    differences = differences[np.isfinite(differences)]
    if len(differences) < 2:
        return effect.without_interval(TOO_FEW_USERS)
    low, high = np.quantile(differences, (alpha / 2, 1 - alpha / 2))
    return replace(
        effect.without_interval(),
        standard_error=float(differences.std(ddof=1)),
        ci_low=float(low),
        ci_high=float(high),
    )


def _resampled_ratios(
    pool: ThreadPoolExecutor, arm: Arm, replicates: int, seed: int, stream: str, index: int
) -> Iterator[np.ndarray]:
    sizes = chunk_sizes(replicates, max(1, _DRAWS_PER_CHUNK // arm.users))
    # Numerator and denominator of a user as one complex number: looked up once, added at once.
    totals = arm.numerator + 1j * arm.denominator
    return pool.map(partial(_chunk_ratios, totals, seed, stream, index), range(len(sizes)), sizes)


def _chunk_ratios(
    totals: np.ndarray, seed: int, stream: str, arm: int, chunk: int, replicates: int
) -> np.ndarray:
    drawn = chunk_draws(len(totals), replicates, seed, stream, arm, chunk)
    sums = totals[drawn].sum(axis=1)
    ratios = np.full(replicates, math.nan)
    return np.divide(sums.real, sums.imag, out=ratios, where=sums.imag > 0)


def _bca_effect(
    percentile: Effect, control: Arm, treatment: Arm, differences: np.ndarray, alpha: float
) -> Effect:
    """Return the effect with the bias-corrected and accelerated interval of the replicates."""
    acceleration = _acceleration(control, treatment)
    differences = differences[np.isfinite(differences)]
    below, equal = (differences < percentile.difference), (differences == percentile.difference)
    share_below = (below.mean() + equal.mean() / 2) if len(differences) else 0.0
    if math.isnan(acceleration) or not 0 < share_below < 1:
        return replace(percentile, ci_low=math.nan, ci_high=math.nan, status=TOO_FEW_USERS)
    bias = special.ndtri(share_below)
    shifted = bias + special.ndtri([alpha / 2, 1 - alpha / 2])
    low, high = np.quantile(
        differences, special.ndtr(bias + shifted / (1 - acceleration * shifted))
    )
    return replace(percentile, ci_low=float(low), ci_high=float(high))


def _acceleration(control: Arm, treatment: Arm) -> float:
    """Return the skewness of the influence of single users, over both arms, / 6.

    nan if one user holds the whole denominator of an arm: leaving that one out is not possible.
    """
    # The influence on a difference is the treatment's, and the control's with opposite sign.
    influences = (-_influence(control), _influence(treatment))
    cubes = sum((values**3).sum() / len(values) ** 3 for values in influences)
    squares = sum((values**2).sum() / len(values) ** 2 for values in influences)
    return float(cubes / squares**1.5 / 6) if squares else math.nan


def _influence(arm: Arm) -> np.ndarray:
    """(n - 1) (mean of R_(-i) - R_(-i)), R_(-i) = (sum S - S_i) / (sum N - N_i)."""
    without = arm.denominator.sum() - arm.denominator
    if (without <= 0).any():
        return np.full(arm.users, math.nan)
    left_out = (arm.numerator.sum() - arm.numerator) / without
    return (arm.users - 1) * (left_out.mean() - left_out)
