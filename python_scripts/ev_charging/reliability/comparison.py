"""Which stations are reliably better or worse than the others of their network."""

import numpy as np
import pandas as pd
from scipy import special

from ev_charging.frames import COUNT, NUMBER, TEXT, typed_frame
from ev_charging.reliability.design_effect import day_design_effect
from ev_charging.reliability.false_discovery import q_values
from ev_charging.reliability.posterior import Posterior, station_posterior
from ev_charging.reliability.rate_prior import fit_rate_prior

BETTER = "better"
WORSE = "worse"
NOT_DISTINGUISHABLE = "not_distinguishable"
TOO_FEW_SESSIONS = "too_few_sessions"

COMPARISON = {
    "station_key": TEXT,
    "station_id": TEXT,
    "site_id": TEXT,
    "sessions_known": COUNT,
    "sessions_succeeded": COUNT,
    "success_rate": NUMBER,
    "success_rate_of_others": NUMBER,
    "design_effect": NUMBER,
    "effective_sessions": NUMBER,
    "prior_success_rate": NUMBER,
    "prior_sessions": NUMBER,
    "shrinkage_weight": NUMBER,
    "shrunken_success_rate": NUMBER,
    "shrunken_rate_low": NUMBER,
    "shrunken_rate_high": NUMBER,
    "probability_worse": NUMBER,
    "probability_better": NUMBER,
    "q_value": NUMBER,
    "verdict": TEXT,
}

_INTERVAL = (0.025, 0.975)
# Equally likely values stand for the rate of the other stations, which is not known either.
_QUANTILES = (np.arange(32) + 0.5) / 32


def station_comparison(
    stations: pd.DataFrame, days: pd.DataFrame, limits: pd.DataFrame
) -> pd.DataFrame:
    """Return one row per station: its rate shrunken to that of the network, and a verdict.

    Args:
        stations: station_key, station_id, site_id, sessions_known, sessions_succeeded.
        days: rows of int_network__station_days, the same sessions by local day.
        limits: the row of int_network__reliability_limits.

    Returns:
        A frame with the columns COMPARISON, ordered by station_key. Rates of a network without a
        session of known outcome are missing, and so are probabilities of the only station with one.
    """
    ordered = stations.sort_values("station_key")
    known = ordered["sessions_known"].to_numpy(dtype=float)
    succeeded = ordered["sessions_succeeded"].to_numpy(dtype=float)
    limit = limits.iloc[0]

    design_effect = day_design_effect(days[days["station_key"].isin(ordered["station_key"])])
    sessions, successes = known / design_effect, succeeded / design_effect
    others = (known.sum() - known) / design_effect
    successes_of_others = (succeeded.sum() - succeeded) / design_effect

    # Empirical Bayes: what all stations say about one is the prior of what it says itself.
    prior = fit_rate_prior(successes, sessions)
    posterior = station_posterior(prior, successes, sessions)
    worse, better = probabilities(
        posterior, successes_of_others, others, limit["success_rate_margin"]
    )
    has_enough = known >= limit["min_sessions_for_rate"]
    q_value = q_values(np.where(has_enough, 1 - np.fmax(worse, better), np.nan))

    compared = ordered.assign(
        success_rate=_ratio(succeeded, known),
        success_rate_of_others=_ratio(successes_of_others, others),
        design_effect=design_effect,
        effective_sessions=sessions,
        prior_success_rate=prior.rate.mean(),
        prior_sessions=np.median(prior.sessions),
        shrinkage_weight=posterior.shrinkage_weight,
        shrunken_success_rate=posterior.mean,
        shrunken_rate_low=posterior.quantile(_INTERVAL[0]),
        shrunken_rate_high=posterior.quantile(_INTERVAL[1]),
        probability_worse=worse,
        probability_better=better,
        q_value=q_value,
        verdict=np.select(
            [
                ~has_enough,
                (q_value <= limit["false_discovery_rate"]) & (worse > better),
                q_value <= limit["false_discovery_rate"],
            ],
            [TOO_FEW_SESSIONS, WORSE, BETTER],
            NOT_DISTINGUISHABLE,
        ),
    )
    return typed_frame(COMPARISON, compared[list(COMPARISON)].to_dict("records"))


def probabilities(
    posterior: Posterior,
    successes_of_others: np.ndarray,
    others: np.ndarray,
    margin: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return how probably the rate of each station is below and above that of all others.

    A station isn't compared with itself, and a difference within the margin counts as neither: in
    many sessions a difference is found that matters to nobody. The pooled rate of the others is
    uncertain too; its distribution is the posterior of Jeffreys' prior.

    Args:
        posterior: what is known of each station's rate.
        successes_of_others, others: successes and sessions of all other stations, same shape.
        margin: difference of rates that matters, 0 to 1.
    """
    rates = special.betaincinv(
        (successes_of_others + 0.5)[:, None],
        (others - successes_of_others + 0.5)[:, None],
        _QUANTILES,
    )
    below = posterior.below(np.clip(rates - margin, 0, 1)).mean(axis=1)
    above = posterior.above(np.clip(rates + margin, 0, 1)).mean(axis=1)
    is_alone = others == 0
    return np.where(is_alone, np.nan, below), np.where(is_alone, np.nan, above)


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    return np.divide(
        numerator, denominator, out=np.full(len(numerator), np.nan), where=denominator > 0
    )
