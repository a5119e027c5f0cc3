"""What all users of an experiment share."""

from dataclasses import dataclass

from ev_charging.experiment_feed.price_calendar import PriceCalendar
from ev_charging.residential.local_clock import LocalClock


@dataclass(frozen=True)
class World:
    """Prices, the clock on the wall, and the seed of the random numbers."""

    calendar: PriceCalendar
    clock: LocalClock
    seed: int
