"""Who charges where: garages, charge points and users of the made-up neighbourhood."""

from dataclasses import dataclass

NOT_AVAILABLE = "NA"
_POINTS_PER_GARAGE = 40
_SHARED_EVERY = 25


@dataclass(frozen=True)
class ChargingUser:
    """One user with the charge point that this user charges at.

    Attributes:
        user_id, garage_id: identifiers as published.
        shared_id: the shared charge point, or `NA` for a user with a private one.
        joins_on_day: first day of the year (0 is 1 January) on which the user may plug in.
    """

    user_id: str
    garage_id: str
    shared_id: str = NOT_AVAILABLE
    joins_on_day: int = 0

    @property
    def user_type(self) -> str:
        """Return `Private` or `Shared`."""
        return "Private" if self.shared_id == NOT_AVAILABLE else "Shared"

    @property
    def charge_point(self) -> str:
        """Return the identifier of the charge point, which no two cars can use at once."""
        return self.user_id if self.shared_id == NOT_AVAILABLE else self.shared_id


def seed_neighbourhood() -> tuple[ChargingUser, ...]:
    """Return the 13 users of the seeds: 4 garages, 10 private and 2 shared charge points.

    Some join during the year, as in a neighbourhood where charge points are added one by one.
    """
    return (
        ChargingUser("Lia1-1", "Lia1"),
        ChargingUser("Lia1-2", "Lia1", joins_on_day=20),
        ChargingUser("Lia1-3", "Lia1", joins_on_day=75),
        ChargingUser("Eng2-1", "Eng2"),
        ChargingUser("Eng2-2", "Eng2", joins_on_day=20),
        ChargingUser("Eng2-3", "Eng2", joins_on_day=180),
        ChargingUser("Hav3-1", "Hav3"),
        ChargingUser("Hav3-2", "Hav3", joins_on_day=80),
        ChargingUser("Sol4-1", "Sol4", joins_on_day=60),
        ChargingUser("Sol4-2", "Sol4", joins_on_day=150),
        ChargingUser("Share-1", "Lia1", "Shared-1", joins_on_day=30),
        ChargingUser("Share-2", "Lia1", "Shared-1", joins_on_day=100),
        ChargingUser("Share-3", "Sol4", "Shared-2", joins_on_day=70),
    )


def large_neighbourhood(first: int, count: int) -> tuple[ChargingUser, ...]:
    """Return the users `first` to `first + count - 1` of a neighbourhood of any size.

    Each user has a charge point of their own; every 25th is a shared one.
    """
    return tuple(_numbered_user(index) for index in range(first, first + count))


def _numbered_user(index: int) -> ChargingUser:
    garage_id = f"Grend{index // _POINTS_PER_GARAGE + 1}"
    if index % _SHARED_EVERY == _SHARED_EVERY - 1:
        number = index // _SHARED_EVERY + 1
        return ChargingUser(f"Share-{number}", garage_id, f"Shared-{number}")
    return ChargingUser(f"{garage_id}-{index % _POINTS_PER_GARAGE + 1}", garage_id)
