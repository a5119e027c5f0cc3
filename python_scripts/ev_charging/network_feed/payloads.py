"""Changes of the JSON text of a message, in either version of the protocol."""

import json
import re
from collections.abc import Iterator
from datetime import datetime

from ev_charging.network_feed.instants import stamp
from ev_charging.network_feed.metering import kilo

_REGISTER = "Energy.Active.Import.Register"
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def is_sample(action: str, payload: str) -> bool:
    """Return whether a message has readings from between begin and end of a transaction."""
    is_periodic = action == "MeterValues" or '"MeterValuePeriodic"' in payload
    return is_periodic and '"meterValue"' in payload


def highest_wh(payload: str) -> int:
    """Return the highest register reading in a message, Wh, 0 if it has none."""
    message = json.loads(payload)
    values = [round(float(one["value"]) * _scale(one)) for _, one in _registers(message)]
    return max([message.get("meterStart", 0), *values])


def lowered(payload: str, lost_wh: int, since: str) -> str:
    """Return a message whose register has lost some energy in the readings since an instant."""
    message = json.loads(payload)
    if "meterStop" in message:
        message["meterStop"] -= lost_wh
    for at, sample in _registers(message):
        if at >= since:
            scale = _scale(sample)
            value_wh = round(float(sample["value"]) * scale) - lost_wh
            text = kilo(value_wh) if scale > 1 else str(value_wh)
            sample["value"] = text if isinstance(sample["value"], str) else json.loads(text)
    return _compact(message)


def with_register(payload: str, text: str) -> str:
    """Return a message with a text in the place of its register readings."""
    message = json.loads(payload)
    for _, sample in _registers(message):
        sample["value"] = text
    return _compact(message)


def without_token(payload: str) -> str:
    """Return a message that doesn't name the driver."""
    message = json.loads(payload)
    message.pop("idTag", None)
    message.pop("idToken", None)
    return _compact(message)


def moved(payload: str, error_s: int) -> str:
    """Return a message with all times moved by some seconds."""
    return _STAMP.sub(lambda found: stamp(_instant(found.group()) + error_s), payload)


def _registers(message: dict) -> Iterator[tuple[str, dict]]:
    """Yield time and sample of each register reading."""
    for reading in (*message.get("meterValue", ()), *message.get("transactionData", ())):
        for sample in reading["sampledValue"]:
            if sample.get("measurand", _REGISTER) == _REGISTER:
                yield reading["timestamp"], sample


def _scale(sample: dict) -> int:
    """Return how many Wh the unit of a reading has."""
    details = sample.get("unitOfMeasure", {})
    is_kwh = "kWh" in (sample.get("unit"), details.get("unit"))
    return 1000 if is_kwh or details.get("multiplier") == 3 else 1


def _compact(message: dict) -> str:
    return json.dumps(message, separators=(",", ":"))


def _instant(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
