"""Invented ids: of vehicles with the 17 characters of a VIN, of clients like customer numbers."""

import numpy as np

from ev_charging.stateless_random import uniform

# A VIN has no I, O and Q, which look like digits.
VIN_CHARACTERS = np.array(list("0123456789ABCDEFGHJKLMNPRSTUVWXYZ"))
MOST_NUMBERS = 1_000_000

# No common divisor with the number of numbers: each number has another serial.
_STRIDE, _OFFSET = 618_033, 271_828
_MAKERS = np.array(["XF7", "VB9", "WK2", "YC4", "ZR8"])
_DRAWN = 8


def vehicle_ids(number: np.ndarray, vehicle_type: np.ndarray, seed: int) -> np.ndarray:
    """Return 17 characters per vehicle: maker by its type, eight that are drawn, and a serial.

    Args:
        number: of each vehicle, from 0 to below `MOST_NUMBERS`.
        vehicle_type: index of its type.
        seed: of the random numbers.
    """
    drawn = uniform(seed, "vehicle id", number[:, None], np.arange(_DRAWN))
    letters = VIN_CHARACTERS[(drawn * len(VIN_CHARACTERS)).astype(np.int64)]
    middles = letters.view(f"<U{_DRAWN}").ravel()
    return np.char.add(np.char.add(_MAKERS[vehicle_type], middles), _serials(number))


def client_ids(number: np.ndarray) -> np.ndarray:
    """Return `KD-` and six digits per client number, from 0 to below `MOST_NUMBERS`."""
    return np.char.add("KD-", _serials(number))


def _serials(number: np.ndarray) -> np.ndarray:
    serials = (number * _STRIDE + _OFFSET) % MOST_NUMBERS
    return np.char.zfill(serials.astype("U6"), 6)
