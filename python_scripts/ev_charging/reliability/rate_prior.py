"""How the success rates of the stations of a network differ: beta distributions that fit them."""

from dataclasses import dataclass

import numpy as np
from scipy import special

# Below it stations are either always or never right, which no network is.
_LEAST_SESSIONS = 1.0
_STEPS = 200
_VALUES = 16


@dataclass(frozen=True)
class RatePrior:
    """Equally likely beta distributions of success rates, shape (distributions,) each.

    Attributes:
        rate: the mean success rate.
        sessions: how many sessions the distribution is worth, the sum of its parameters: many
            where stations are alike.
    """

    rate: np.ndarray
    sessions: np.ndarray


def fit_rate_prior(successes: np.ndarray, sessions: np.ndarray) -> RatePrior:
    """Return the beta distributions that the counts of all stations are likely to come from.

    How far stations differ is known badly where they are few, and the single most likely
    distribution often says that they don't differ at all. So several stand for what it may be: the
    quantiles of its posterior, from the marginal likelihood, which is beta-binomial, and a uniform
    prior of 1 / sessions (Tak, Kelly and Morris 2017, J. Stat. Softw. 78). None is worth more than
    all sessions of the network.

    Args:
        successes, sessions: shape (stations,), may be fractions. Without any session, rate and
            sessions are nan.
    """
    total = float(sessions.sum())
    if not total > 0:
        return RatePrior(np.full(1, np.nan), np.full(1, np.nan))
    worth = np.geomspace(_LEAST_SESSIONS, max(total, _LEAST_SESSIONS), _STEPS)
    log_density = np.array(
        [
            log_likelihood(mean_rate(successes, sessions, value), value, successes, sessions)
            - np.log(value)
            for value in worth
        ]
    )
    density = np.exp(log_density - log_density.max())
    levels = (np.cumsum(density) - density / 2) / density.sum()
    middles = (np.arange(_VALUES) + 0.5) / _VALUES
    values = np.exp(np.interp(middles, levels, np.log(worth)))
    rates = np.array([mean_rate(successes, sessions, value) for value in values])
    return RatePrior(rates, values)


def mean_rate(successes: np.ndarray, sessions: np.ndarray, worth: float) -> float:
    """Return the mean of the stations' rates where a station is worth so many sessions.

    Each station counts with the inverse variance of its rate (Kleinman 1973, J. Am. Stat. Assoc.
    68), which is the number of independent sessions that it is worth; half a success and half a
    failure keep the mean off 0 and 1.
    """
    independent = (worth + 1) / (worth + sessions)
    return float((np.sum(independent * successes) + 0.5) / (np.sum(independent * sessions) + 1))


def log_likelihood(rate: float, worth: float, successes: np.ndarray, sessions: np.ndarray) -> float:
    """Return the log of the beta-binomial likelihood, up to a term without rate and worth."""
    first, second = rate * worth, (1 - rate) * worth
    return float(
        np.sum(
            special.betaln(first + successes, second + sessions - successes)
            - special.betaln(first, second)
        )
    )
