"""Vehicles and their owners: what each is, how it is used, and how far its battery has aged.

Everything is a function of the seed and the number of a vehicle: more vehicles change none.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from ev_charging.stateless_random import normal, uniform
from ev_charging.telematics_feed.identifiers import client_ids, vehicle_ids
from ev_charging.telematics_feed.suppliers import SUPPLIER_SHARES, of_each

USES = COMMUTER, DELIVERY, FIELD_SERVICE, POOL = range(4)
REGIONS = ("Oslo", "Vestland", "Rogaland", "Trøndelag")
# Points of a full battery, in tenths.
FULL = 1000


@dataclass(frozen=True)
class VehicleType:
    """A kind of vehicle.

    Attributes:
        name: its name.
        battery_wh: usable capacity when new, Wh.
        chemistry: `NMC` or `LFP`.
        kwh_per_100km: consumption on a mild day.
        ac_w: largest power of its own charger, W.
        dc_w: largest power of direct current, W.
        uses: weights of commuter, delivery, field service and pool.
    """

    name: str
    battery_wh: int
    chemistry: str
    kwh_per_100km: float
    ac_w: int
    dc_w: int
    uses: tuple[float, float, float, float]


VEHICLE_TYPES = (
    VehicleType("compact hatchback", 44_000, "LFP", 14.5, 7_400, 70_000, (0.7, 0, 0, 0.3)),
    VehicleType("crossover", 64_000, "NMC", 17.5, 11_000, 120_000, (0.5, 0, 0.5, 0)),
    VehicleType("delivery van", 68_000, "LFP", 25.0, 11_000, 90_000, (0, 0.75, 0.25, 0)),
    VehicleType("estate", 82_000, "NMC", 19.0, 11_000, 160_000, (0.4, 0, 0.6, 0)),
    VehicleType("large van", 95_000, "LFP", 33.0, 22_000, 110_000, (0, 1, 0, 0)),
)
# Of each group of vehicles, in the order of the types.
TYPE_SHARES = (20, 17, 14, 9, 6)
# Vehicles of each client in a group, and in how many groups in a row the client has as many.
CLIENT_SIZES = (14, 10, 8, 7, 6, 5, 4, 3, 3, 2, 1, 1, 1, 1)
_CLIENT_GROUPS = np.array((500, 50, 10, 5, 2, *[1] * 9))
GROUP_SIZE = sum(CLIENT_SIZES)

_FADE_PER_YEAR = {"NMC": 0.020, "LFP": 0.012}
_FADE_SPREAD, _CAPACITY_SPREAD = 0.15, 0.01
_OUTLIERS, _OUTLIER_CAPACITY, _LEAST_CAPACITY = 0.03, 0.87, 0.72
_CONSUMPTION_SPREAD = 0.05
_OLDEST_DAYS, _DAYS_PER_YEAR = 8 * 365, 365.25
_KM_PER_YEAR = np.array([13_000, 28_000, 21_000, 11_000])
# Points per hour that a vehicle loses while it stands; some watch their surroundings.
_STANDBY_PER_H, _WATCHERS, _WATCHER_PER_H = (0.008, 0.05), 0.15, 0.1
_TARGETS = np.array([800, 850, 900, 1000])


@dataclass(frozen=True)
class Vehicles:
    """Some vehicles; one element per vehicle.

    Attributes:
        number: number of the vehicle, from 0.
        client: number of its client.
        vehicle_type: index into `VEHICLE_TYPES`.
        supplier: index into `SUPPLIERS`.
        use: one of `USES`.
        region: index into `REGIONS`.
        registered_day: day of its first registration, days since 1970.
        fade_per_year: share of the capacity that is lost per year.
        capacity_factor: capacity when new over that of its type.
        consumption_factor: consumption over that of its type.
        standby_per_h: tenths of a point that it loses per hour of standing.
        target_soc: SOC that it is charged to, tenths of a point.
        first_soc: SOC at the begin, tenths of a point.
        first_odometer: odometer at the begin, tenths of its supplier's unit of distance.
        vehicle_id: id of the vehicle.
        client_id: id of its client.
    """

    number: np.ndarray
    client: np.ndarray
    vehicle_type: np.ndarray
    supplier: np.ndarray
    use: np.ndarray
    region: np.ndarray
    registered_day: np.ndarray
    fade_per_year: np.ndarray
    capacity_factor: np.ndarray
    consumption_factor: np.ndarray
    standby_per_h: np.ndarray
    target_soc: np.ndarray
    first_soc: np.ndarray
    first_odometer: np.ndarray
    vehicle_id: np.ndarray
    client_id: np.ndarray

    def of_type(self, attribute: str) -> np.ndarray:
        """Return an attribute of the type of each vehicle."""
        return np.array([getattr(kind, attribute) for kind in VEHICLE_TYPES])[self.vehicle_type]

    @property
    def km_per_tenth(self) -> np.ndarray:
        """Return the kilometres of a tenth of the unit of distance of each vehicle."""
        return of_each("km_per_unit")[self.supplier] / 10

    def capacity_wh(self, day: int) -> np.ndarray:
        """Return the usable capacity of each vehicle on a day, Wh."""
        years = np.maximum(day - self.registered_day, 0) / _DAYS_PER_YEAR
        share = self.capacity_factor * (1 - self.fade_per_year * years)
        return self.of_type("battery_wh") * np.maximum(share, _LEAST_CAPACITY)


def vehicles_of(numbers: range, seed: int, first_day: date) -> Vehicles:
    """Return the vehicles with these numbers as they are on the first day of a run."""
    number = np.arange(numbers.start, numbers.stop)
    place, group = number % GROUP_SIZE, number // GROUP_SIZE

    def drawn(channel: str) -> np.ndarray:
        return uniform(seed, channel, number)

    owner = _dealt("client", CLIENT_SIZES)[place]
    client = group // _CLIENT_GROUPS[owner] * len(CLIENT_SIZES) + owner
    vehicle_type = _dealt("vehicle type", TYPE_SHARES)[place]
    supplier = _dealt("supplier", SUPPLIER_SHARES)[place]
    uses = np.cumsum([kind.uses for kind in VEHICLE_TYPES], axis=1)[vehicle_type]
    use = (drawn("use")[:, None] > uses).sum(axis=1)
    age_days = (drawn("age") * _OLDEST_DAYS).astype(np.int64) + 30
    fade = np.array([_FADE_PER_YEAR[kind.chemistry] for kind in VEHICLE_TYPES])[vehicle_type]
    is_outlier = drawn("outlier") < _OUTLIERS
    low, high = _STANDBY_PER_H
    per_h = np.where(
        drawn("watcher") < _WATCHERS, _WATCHER_PER_H, low + drawn("standby") * (high - low)
    )
    km = age_days / _DAYS_PER_YEAR * _KM_PER_YEAR[use] * (0.6 + 0.8 * drawn("odometer"))
    km_per_tenth = of_each("km_per_unit")[supplier] / 10
    return Vehicles(
        number=number,
        client=client,
        vehicle_type=vehicle_type,
        supplier=supplier,
        use=use,
        region=client % len(REGIONS),
        registered_day=(first_day - date(1970, 1, 1)).days - age_days,
        fade_per_year=fade * (1 + _FADE_SPREAD * normal(seed, "fade", number)),
        capacity_factor=(1 + _CAPACITY_SPREAD * normal(seed, "capacity", number))
        * np.where(is_outlier, _OUTLIER_CAPACITY, 1),
        consumption_factor=1 + _CONSUMPTION_SPREAD * normal(seed, "consumption", number),
        standby_per_h=10 * per_h,
        target_soc=_TARGETS[(drawn("target") * len(_TARGETS)).astype(np.int64)],
        first_soc=(350 + drawn("first soc") * 600).astype(np.int64),
        first_odometer=(km / km_per_tenth).astype(np.int64),
        vehicle_id=vehicle_ids(number, vehicle_type, seed),
        client_id=client_ids(client),
    )


def _dealt(channel: str, shares: tuple[int, ...]) -> np.ndarray:
    """Return which share each place of a group falls to, in an order that is always the same."""
    places = np.argsort(uniform(0, channel, np.arange(GROUP_SIZE)))
    dealt = np.empty(GROUP_SIZE, dtype=np.int64)
    dealt[places] = np.repeat(np.arange(len(shares)), shares)
    return dealt
