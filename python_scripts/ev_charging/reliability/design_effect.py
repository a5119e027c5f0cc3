"""How much less the sessions of a station tell than as many independent ones would."""

import numpy as np
import pandas as pd


def day_design_effect(days: pd.DataFrame) -> float:
    """Return the variance of a station's successes over that of independent sessions, at least 1.

    A driver whose attempt fails tries again, and a fault lasts for hours: outcomes of one day come
    in clusters. Squares are summed per station and day, and pooled over the stations,

        sum (s_d - p n_d)^2 / sum p (1 - p) n / (n - 1) (n - sum n_d^2 / n),

    with s_d successes of n_d sessions on day d, and n sessions of a station with the rate p. The
    denominator is what independent sessions are expected to give. Sessions and successes divided
    by the design effect can be treated as independent (Rao and Scott 1992, Biometrics 48).

    Args:
        days: a row per station_key and local day: sessions_known, sessions_succeeded.
    """
    known = days["sessions_known"].to_numpy(dtype=float)
    succeeded = days["sessions_succeeded"].to_numpy(dtype=float)
    products = pd.DataFrame(
        {
            "n": known,
            "s": succeeded,
            "nn": known**2,
            "ns": known * succeeded,
            "ss": succeeded**2,
        }
    )
    station = products.groupby(days["station_key"].to_numpy()).sum()
    station = station[station["n"] > 1]
    rate = station["s"] / station["n"]
    found = (station["ss"] - 2 * rate * station["ns"] + rate**2 * station["nn"]).sum()
    variance = rate * (1 - rate) * station["n"] / (station["n"] - 1)
    expected = (variance * (station["n"] - station["nn"] / station["n"])).sum()
    return float(np.fmax(found / expected, 1.0)) if expected > 0 else 1.0
