"""Random numbers that are a function of their keys: the same whoever asks, and in any order.

A number depends on the seed, the name of its channel and its keys (a user, a day, an hour) and on
nothing else. More users, another window of time or a new channel change no number that was there
before. The keys are mixed by the finaliser of SplitMix64 (Steele, Lea, Flood, *Fast splittable
pseudorandom number generators*, OOPSLA 2014).
"""

import hashlib

import numpy as np
from scipy.special import ndtri

_GOLDEN_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST_FACTOR = np.uint64(0xBF58476D1CE4E5B9)
_SECOND_FACTOR = np.uint64(0x94D049BB133111EB)
_UNIT = 2.0**-53


def uniform(seed: int, channel: str, *keys: np.ndarray | int) -> np.ndarray:
    """Return uniform numbers strictly between 0 and 1, one per element of the broadcast keys.

    Args:
        seed: seed of the run, at least 0.
        channel: what the numbers are for; each name has numbers of its own.
        keys: integers or arrays of integers that can be broadcast together.
    """
    digest = hashlib.blake2b(f"{seed}/{channel}".encode(), digest_size=8).digest()
    state = np.array(int.from_bytes(digest, "little"), dtype=np.uint64)
    # Sums and products are meant to wrap around; numpy warns of it where they are scalars.
    with np.errstate(over="ignore"):
        for key in keys:
            # Two's complement keeps keys below 0 apart.
            bits = np.asarray(key, dtype=np.int64).view(np.uint64)
            state = _mixed(state + _GOLDEN_GAMMA * bits)
        state = _mixed(state)
    return ((state >> np.uint64(11)).astype(np.float64) + 0.5) * _UNIT


def normal(seed: int, channel: str, *keys: np.ndarray | int) -> np.ndarray:
    """Return standard normal numbers, one per element of the broadcast keys."""
    return ndtri(uniform(seed, channel, *keys))


def exponential(seed: int, channel: str, *keys: np.ndarray | int) -> np.ndarray:
    """Return exponential numbers of mean 1, one per element of the broadcast keys."""
    return -np.log(uniform(seed, channel, *keys))


def _mixed(state: np.ndarray) -> np.ndarray:
    state = (state ^ (state >> np.uint64(30))) * _FIRST_FACTOR
    state = (state ^ (state >> np.uint64(27))) * _SECOND_FACTOR
    return state ^ (state >> np.uint64(31))
