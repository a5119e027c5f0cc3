"""Prices by the minute: low-price hours, and cost and carbon of charging."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ev_charging.residential.local_clock import LocalClock

LOW_PRICE_HOURS_PER_DAY = 6
PEAK_HOURS = (17, 18, 19, 20)
NO_HOUR = -1
_HOUR_MINUTES = 60


@dataclass(frozen=True)
class PriceCalendar:
    """Consecutive hours of one zone; instants are minutes since 1970 (UTC).

    Attributes:
        first_hour: hours from 1970 to the first hour.
        is_low: whether the hour is one of the cheapest of its local day, shape (hours,).
        is_peak: whether the hour is a peak hour on the local clock, shape (hours,).
        low_hours: the low-price hours, hours since 1970, ascending.
        cheapest: cheapest[k, i] is the place in `low_hours` of the cheapest one of the 2^k from
            place i on, the earlier one of equals.
        cent_minutes: price in cents per MWh times minutes, up to the start of each hour and of the
            hour after the last one, shape (hours + 1,).
        decigram_minutes: carbon in 0.1 g per kWh times minutes, likewise.
    """

    first_hour: int
    is_low: np.ndarray
    is_peak: np.ndarray
    low_hours: np.ndarray
    cheapest: np.ndarray
    cent_minutes: np.ndarray
    decigram_minutes: np.ndarray

    @classmethod
    def of(cls, prices: pd.DataFrame, clock: LocalClock) -> "PriceCalendar":
        """Return the calendar of consecutive hourly prices of whole local days.

        Within a local day, hours are ranked by price and then by time.
        """
        hour_s = prices["starts_at"].to_numpy().astype("datetime64[s]").astype(np.int64)
        cents = (prices["eur_per_mwh"] * 100).round().to_numpy(np.int64)
        decigrams = (prices["g_co2_per_kwh"] * 10).round().to_numpy(np.int64)
        local_hour = clock.local_seconds(hour_s) // 3600
        local_day = local_hour // 24
        order = np.lexsort((hour_s, cents, local_day))
        _, first_of_day = np.unique(local_day[order], return_index=True)
        hours_per_day = np.diff(np.append(first_of_day, len(order)))
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order)) - np.repeat(first_of_day, hours_per_day)
        is_low = rank < LOW_PRICE_HOURS_PER_DAY
        first_hour = int(hour_s[0] // 3600)
        return cls(
            first_hour=first_hour,
            is_low=is_low,
            is_peak=np.isin(local_hour % 24, PEAK_HOURS),
            low_hours=first_hour + np.flatnonzero(is_low),
            cheapest=_sparse_table(cents[is_low]),
            cent_minutes=_running_total(cents),
            decigram_minutes=_running_total(decigrams),
        )

    def in_low_price_hour(self, minute: np.ndarray) -> np.ndarray:
        """Return whether each instant lies in a low-price hour."""
        return self.is_low[minute // _HOUR_MINUTES - self.first_hour]

    def in_peak_hour(self, minute: np.ndarray) -> np.ndarray:
        """Return whether each instant lies in a peak hour."""
        return self.is_peak[minute // _HOUR_MINUTES - self.first_hour]

    def cheapest_start(self, earliest: np.ndarray, latest: np.ndarray) -> np.ndarray:
        """Return the start in the cheapest low-price hour between two instants, both included.

        That is the start of the hour, or `earliest` where it lies inside it; NO_HOUR where no
        low-price hour can be reached.
        """
        low_minutes = self.low_hours * _HOUR_MINUTES
        first = np.searchsorted(low_minutes, earliest - _HOUR_MINUTES, side="right")
        after = np.searchsorted(low_minutes, latest, side="right")
        is_possible = (after > first) & (latest >= earliest)
        first, after = np.where(is_possible, (first, after), ((0,), (1,)))
        # The minimum of a range is that of two overlapping ranges of a power of two.
        level = np.frexp(after - first)[1] - 1
        one, other = self.cheapest[level, first], self.cheapest[level, after - 2**level]
        prices = self.cent_minutes[self.low_hours - self.first_hour + 1]
        prices = prices - self.cent_minutes[self.low_hours - self.first_hour]
        best = np.where(prices[one] <= prices[other], one, other)
        return np.where(is_possible, np.maximum(low_minutes[best], earliest), NO_HOUR)

    def cost_eur(self, start: np.ndarray, end: np.ndarray, energy_wh: np.ndarray) -> np.ndarray:
        """Return the cost of energy that flows evenly from `start` to `end`, EUR, 4 decimals."""
        cents = self._mean(self.cent_minutes, start, end)
        return (energy_wh * cents / 1e8).round(4)

    def carbon_g(self, start: np.ndarray, end: np.ndarray, energy_wh: np.ndarray) -> np.ndarray:
        """Return the grid carbon of energy that flows evenly from `start` to `end`, g."""
        return energy_wh * self._mean(self.decigram_minutes, start, end) / 1e4

    def _mean(self, running: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        return (self._total_until(running, end) - self._total_until(running, start)) / (end - start)

    def _total_until(self, running: np.ndarray, minute: np.ndarray) -> np.ndarray:
        hour, part = np.divmod(minute - self.first_hour * _HOUR_MINUTES, _HOUR_MINUTES)
        following = np.minimum(hour + 1, len(running) - 1)
        return running[hour] + part * (running[following] - running[hour]) // _HOUR_MINUTES


def _running_total(values: np.ndarray) -> np.ndarray:
    return np.concatenate(([0], np.cumsum(values * _HOUR_MINUTES)))


def _sparse_table(values: np.ndarray) -> np.ndarray:
    """Return for each power of two the place of the smallest of as many values from each place."""
    levels = [np.arange(len(values))]
    reach = 1
    while 2 * reach <= len(values):
        one = levels[-1]
        other = one[np.minimum(np.arange(len(values)) + reach, len(values) - 1)]
        levels.append(np.where(values[one] <= values[other], one, other))
        reach *= 2
    return np.stack(levels)
