"""Charging archetypes: the kinds of driver a fleet is made of, and whether their figures can be."""

import csv
from dataclasses import dataclass
from pathlib import Path

SIX_AMPERES_KW = 1.4
_DAY_S = 86_400
_SHARE_TOLERANCE_PCT = 0.01


@dataclass(frozen=True)
class Archetype:
    """One kind of driver.

    Attributes:
        name: what it is called.
        population_pct: its share of the fleet.
        miles_per_year: distance driven.
        battery_kwh: usable capacity.
        miles_per_kwh: distance per energy drawn from the battery.
        plug_ins_per_day: how often it is plugged in, at most 1.
        charger_kw: power of the charger at home.
        plug_in_s: usual time of plugging in, seconds after local midnight.
        plug_out_s: usual time of unplugging, seconds after local midnight.
        target_soc: state of charge that is charged to, 0 to 1.
    """

    name: str
    population_pct: float
    miles_per_year: float
    battery_kwh: float
    miles_per_kwh: float
    plug_ins_per_day: float
    charger_kw: float
    plug_in_s: int
    plug_out_s: int
    target_soc: float


def read_archetypes(path: Path) -> list[Archetype]:
    """Read and check the archetypes of a CSV file with the columns of the seed.

    Raises:
        ValueError: a column is missing or a value can't be; the line names archetype and value.
    """
    with path.open(newline="", encoding="utf-8") as lines:
        return archetypes_of(list(csv.DictReader(lines)))


def archetypes_of(rows: list[dict]) -> list[Archetype]:
    """Return checked archetypes of rows whose keys are the columns of the seed.

    Raises:
        ValueError: as `read_archetypes`.
    """
    archetypes = [_archetype(row) for row in rows]
    check_archetypes(archetypes)
    return archetypes


def check_archetypes(archetypes: list[Archetype]) -> None:
    """Refuse archetypes that no fleet can have.

    Raises:
        ValueError: the first fault, with the archetype and the value.
    """
    if not archetypes:
        raise ValueError("there are no archetypes")
    names = [archetype.name for archetype in archetypes]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"archetype {name}: stands there more than once")
    for archetype in archetypes:
        _check(archetype)
    total = sum(archetype.population_pct for archetype in archetypes)
    if abs(total - 100) > _SHARE_TOLERANCE_PCT:
        raise ValueError(f"population_pct of all archetypes must sum to 100, not to {total:g}")


def _check(archetype: Archetype) -> None:
    bounds = {
        "population_pct": (0, 100),
        "miles_per_year": (0, 200_000),
        "battery_kwh": (1, 1_000),
        "miles_per_kwh": (0.1, 20),
        "plug_ins_per_day": (0.01, 1),
        "charger_kw": (SIX_AMPERES_KW, 400),
        "target_soc": (0.05, 1),
    }
    for field, (lowest, highest) in bounds.items():
        value = getattr(archetype, field)
        # also false for a value that is not a number
        if not lowest <= value <= highest:
            raise ValueError(
                f"archetype {archetype.name}: {field} must lie between {lowest:g} and {highest:g},"
                f" not {value:g}"
            )
    if archetype.plug_in_s == archetype.plug_out_s:
        raise ValueError(f"archetype {archetype.name}: plugs in and out at the same time")


def _archetype(row: dict) -> Archetype:
    name = str(row.get("name") or "").strip()
    if not name:
        raise ValueError("an archetype has no name")
    return Archetype(
        name=name,
        population_pct=_number(row, name, "population_pct"),
        miles_per_year=_number(row, name, "miles_per_year"),
        battery_kwh=_number(row, name, "battery_kwh"),
        miles_per_kwh=_number(row, name, "miles_per_kwh"),
        plug_ins_per_day=_number(row, name, "plug_ins_per_day"),
        charger_kw=_number(row, name, "charger_kw"),
        plug_in_s=clock_seconds(row.get("plug_in_time"), f"archetype {name}: plug_in_time"),
        plug_out_s=clock_seconds(row.get("plug_out_time"), f"archetype {name}: plug_out_time"),
        target_soc=_number(row, name, "target_soc_pct") / 100,
    )


def _number(row: dict, name: str, column: str) -> float:
    try:
        return float(row[column])
    except KeyError:
        raise ValueError(f"archetypes have no column {column}") from None
    except (TypeError, ValueError):
        raise ValueError(
            f"archetype {name}: {column} must be a number, not {row[column]!r}"
        ) from None


def clock_seconds(text: object, what: str) -> int:
    """Return the seconds after midnight of a time of day as HH:MM.

    Raises:
        ValueError: it is no such time; the message starts with `what`.
    """
    hours, colon, minutes = str(text).strip().partition(":")
    if colon and hours.isdecimal() and minutes.isdecimal() and len(minutes) == 2:
        seconds = int(hours) * 3600 + int(minutes) * 60
        if int(minutes) < 60 and seconds < _DAY_S:
            return seconds
    raise ValueError(f"{what} must be a time of day as HH:MM, not {text!r}")
