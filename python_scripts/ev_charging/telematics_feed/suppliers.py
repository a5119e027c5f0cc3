"""Who delivers the logs, and in which form; the var `telematics_suppliers` says the same."""

from dataclasses import dataclass

import numpy as np

KM_PER_MILE = 1.609344


@dataclass(frozen=True)
class Supplier:
    """The form of a supplier's logs, and how often a value is missing in them.

    Attributes:
        name: what its rows say.
        distance_unit: `km` or `mi`.
        power_unit: `kW`, with energy in kWh, or `W`, with energy in Wh.
        soc_scale: what a full battery is, 100 or 1.
        is_local: whether times are on the clock on the wall, without an offset.
        has_energy: whether energy is delivered.
        has_charge_odometer: whether charges come with the odometer.
        without_energy: share of rows without energy.
        without_power: share of charges without power.
        without_soc: share of charges without SOC, of those that stand still before and after.
        without_end: share of charges without end.
        without_place: share of charges without place.
    """

    name: str
    distance_unit: str
    power_unit: str
    soc_scale: int
    is_local: bool = False
    has_energy: bool = True
    has_charge_odometer: bool = True
    without_energy: float = 0.0
    without_power: float = 0.0
    without_soc: float = 0.0
    without_end: float = 0.0
    without_place: float = 0.0

    @property
    def km_per_unit(self) -> float:
        """Return the kilometres of one unit of distance."""
        return KM_PER_MILE if self.distance_unit == "mi" else 1.0


SUPPLIERS = (
    Supplier(*("alpha", "km", "kW", 100), without_energy=0.04, without_soc=0.1, without_place=0.1),
    Supplier(*("bravo", "mi", "W", 1), is_local=True, without_power=0.03),
    Supplier(
        *("charlie", "km", "W", 100),
        has_energy=False,
        has_charge_odometer=False,
        without_end=0.08,
        without_place=0.3,
    ),
)
SUPPLIER_SHARES = (30, 23, 13)


def of_each(attribute: str) -> np.ndarray:
    """Return an attribute of all suppliers, in their order."""
    return np.array([getattr(supplier, attribute) for supplier in SUPPLIERS])
