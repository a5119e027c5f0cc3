"""Where vehicles charge, how much, how long, and at which power."""

from dataclasses import dataclass

import numpy as np

from ev_charging.stateless_random import uniform
from ev_charging.telematics_feed.fleet import COMMUTER, FULL

PLACES = ("home", "depot", "public")
HOME, DEPOT, PUBLIC = range(len(PLACES))
HOUR_S = 3600

_LOW, _EMPTY = 350, 200
_HOME_W = np.array([3_700, 7_400, 11_000, 22_000])
_PUBLIC_W = np.array([50_000, 100_000, 150_000, 300_000])
# Mean over largest power, and energy lost between meter and battery.
_AC_TAPER, _DC_TAPER = (0.88, 0.98), (0.5, 0.85)
_LOSS = (0.08, 0.12)
_LEAST_RISE = 20
_CUT_SHORT = 0.08
_NIGHT_TARIFF, _WAITS_S = 0.2, (HOUR_S, 6 * HOUR_S)


@dataclass(frozen=True)
class Charges:
    """Charges that begin after a drive; one element per vehicle.

    Attributes:
        is_charging: whether it charges at all.
        place: index into `PLACES`.
        delay_s: from the end of the drive to the begin.
        rise: tenths of a point that the SOC rises.
        seconds: from begin to end.
        energy_wh: energy at the meter, Wh.
        max_power_w: largest power, W.
    """

    is_charging: np.ndarray
    place: np.ndarray
    delay_s: np.ndarray
    rise: np.ndarray
    seconds: np.ndarray
    energy_wh: np.ndarray
    max_power_w: np.ndarray


def charges_after(
    seed: int,
    keys: tuple[np.ndarray, int, int],
    use: np.ndarray,
    soc: np.ndarray,
    capacity_wh: np.ndarray,
    limits_w: tuple[np.ndarray, np.ndarray],
    target_soc: np.ndarray,
    is_last: np.ndarray,
    room_s: np.ndarray,
) -> Charges:
    """Decide who charges after a drive and how it goes.

    Args:
        seed: of the random numbers.
        keys: number of each vehicle, day and slot.
        use: how each vehicle is used.
        soc: SOC at the end of the drive, tenths of a point.
        capacity_wh: usable capacity.
        limits_w: largest power of the vehicle with alternating and with direct current.
        target_soc: SOC that it is charged to at home or in the depot.
        is_last: whether it was the last drive of the day.
        room_s: time until the next drive.
    """

    def drawn(channel: str) -> np.ndarray:
        return uniform(seed, f"charge {channel}", *keys)

    def between(channel: str, bounds: tuple[float, float]) -> np.ndarray:
        low, high = bounds
        return low + drawn(channel) * (high - low)

    eager = np.where(soc < _LOW, 1.0, np.where(soc < 650, 0.6, 0.2))
    hurried = np.where(soc < _EMPTY, 1.0, np.where(soc < _LOW, 0.25, 0.01))
    wants = drawn("wish") < np.where(is_last, eager, hurried)
    is_public = ~is_last | (drawn("place") < 0.05)
    own_place = np.where(use == COMMUTER, HOME, DEPOT)

    plug = keys[0]
    own_w = _HOME_W[(uniform(seed, "wallbox", plug) * 4).astype(np.int64)]
    own_w = np.where(use == COMMUTER, own_w, 11_000)
    public_w = _PUBLIC_W[(drawn("charger") * 4).astype(np.int64)]
    ac_w, dc_w = limits_w
    power_w = np.where(is_public, np.minimum(public_w, dc_w), np.minimum(own_w, ac_w))
    power_w = power_w * (0.93 + 0.07 * drawn("power"))
    mean_w = power_w * np.where(is_public, between("taper", _DC_TAPER), between("taper", _AC_TAPER))

    waits = ~is_public & (use == COMMUTER) & (uniform(seed, "night tariff", plug) < _NIGHT_TARIFF)
    delay_s = np.where(waits, between("wait", _WAITS_S), between("delay", (60, 600)))
    target = np.where(is_public, 800, target_soc)
    wanted = (target - soc) * np.where(drawn("cut") < _CUT_SHORT, between("part", (0.3, 0.9)), 1)
    into_battery = 1 - between("loss", _LOSS)
    left_s = np.maximum(room_s - delay_s - 300, 0)
    left_s = np.where(is_public, np.clip(left_s, 15 * 60, 50 * 60), left_s)
    possible = mean_w * into_battery * left_s / HOUR_S / capacity_wh * FULL
    rise = np.minimum(np.minimum(wanted, possible), FULL - soc).astype(np.int64)
    energy_wh = rise / FULL * capacity_wh / into_battery
    return Charges(
        is_charging=wants & (rise >= _LEAST_RISE),
        place=np.where(is_public, PUBLIC, own_place),
        delay_s=delay_s.astype(np.int64),
        rise=rise,
        seconds=np.ceil(energy_wh / mean_w * HOUR_S).astype(np.int64),
        energy_wh=np.round(energy_wh).astype(np.int64),
        max_power_w=np.round(power_w).astype(np.int64),
    )
