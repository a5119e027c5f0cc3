"""What is known of the success rate of each station, from all stations and from its sessions."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from ev_charging.reliability.rate_prior import RatePrior


@dataclass(frozen=True)
class Posterior:
    """A beta distribution of the success rate of each station, shape (stations,) each.

    Attributes:
        successes: first parameter.
        failures: second parameter.
        shrinkage_weight: part of the mean that comes from the prior, 0 to 1.
    """

    successes: np.ndarray
    failures: np.ndarray
    shrinkage_weight: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Return the success rate to be expected."""
        return self.successes / (self.successes + self.failures)

    def quantile(self, level: float) -> np.ndarray:
        """Return the rate that the station's is below with this probability."""
        return special.betaincinv(self.successes, self.failures, level)

    def below(self, rates: np.ndarray) -> np.ndarray:
        """Return the probability of a lower rate; shape (stations, rates), as `rates`."""
        return special.betainc(self.successes[:, None], self.failures[:, None], rates)

    def above(self, rates: np.ndarray) -> np.ndarray:
        """Return the probability of a higher rate; shape (stations, rates), as `rates`."""
        return special.betaincc(self.successes[:, None], self.failures[:, None], rates)


def station_posterior(prior: RatePrior, successes: np.ndarray, sessions: np.ndarray) -> Posterior:
    """Return the posterior of each station, with the mean and the variance of all priors' ones.

    Args:
        prior: the distributions of the network.
        successes, sessions: shape (stations,), may be fractions.
    """
    worth = prior.sessions[:, None]
    means = (prior.rate[:, None] * worth + successes) / (worth + sessions)
    variances = means * (1 - means) / (worth + sessions + 1)
    mean = means.mean(axis=0)
    total = mean * (1 - mean) / (variances.mean(axis=0) + means.var(axis=0)) - 1
    return Posterior(
        successes=mean * total,
        failures=(1 - mean) * total,
        shrinkage_weight=(worth / (worth + sessions)).mean(axis=0),
    )
