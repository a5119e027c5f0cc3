"""Damage: extra rows that a warehouse must refuse, count once or replace.

Every bad row is an extra row, a changed copy of a good one that stays in the file. It has the
right number of fields and no quotes, so that the file still loads. A later row is a newer
delivery: outdated values come before the good row, exact duplicates after it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ev_charging.residential.local_clock import LocalClock
from ev_charging.residential.neighbourhood import NOT_AVAILABLE
from ev_charging.residential.published_format import (
    LOAD_COLUMNS,
    REPORT_COLUMNS,
    Row,
    duration_category,
    hours_text,
    month_name,
    plugin_category,
    stamps,
    weekday_name,
)

Change = Callable[[dict[str, str]], dict[str, str]]

DUPLICATE = "exact_duplicate"
SUPERSEDED = "superseded"
MISSING_KEY = "missing_key"
_KEEPS_ITS_KEY = (DUPLICATE, SUPERSEDED, MISSING_KEY)
_KEY = "session_ID"


@dataclass(frozen=True)
class BadRow:
    """One kind of damage and how it changes the fields of a good row."""

    kind: str
    change: Change


@dataclass(frozen=True)
class DamagedFeed:
    """The rows of a feed with the bad ones among them.

    Attributes:
        rows: all rows in the order of the file.
        bad: kind and session_ID of each bad row, in the order of the file.
        next_id: the first session_ID that is still free.
    """

    rows: list[Row]
    bad: list[tuple[str, str]]
    next_id: int


def damaged_reports(rows: list[Row], clock: LocalClock, next_id: int) -> DamagedFeed:
    """Return the charging reports with bad rows spread evenly among them.

    Raises:
        ValueError: if there are fewer suitable rows than kinds of damage.
    """
    return _spread(rows, REPORT_COLUMNS, _report_damage(clock), _is_ordinary_report, next_id)


def damaged_loads(rows: list[Row], clock: LocalClock, next_id: int) -> DamagedFeed:
    """Return the hourly loads with bad rows spread evenly among them.

    Raises:
        ValueError: if there are fewer suitable rows than kinds of damage.
    """
    return _spread(rows, LOAD_COLUMNS, _load_damage(clock), _is_ordinary_load, next_id)


def _report_damage(clock: LocalClock) -> list[BadRow]:
    return [
        *[BadRow(MISSING_KEY, _set(session_ID=NOT_AVAILABLE))] * 3,
        *_numbers("not_a_number", "El_kWh", "12.5", "1_000", "12.5kWh"),
        *_numbers("not_finite", "El_kWh", "NaN", "Inf", "1e400"),
        *_numbers("not_finite", "Duration_hours", "-Inf"),
        *_numbers("out_of_range", "El_kWh", "1e308"),
        *_numbers("out_of_range", "Duration_hours", "1e308"),
        *_numbers("negative_energy", "El_kWh", "-3,2", "-0,01"),
        *_numbers("implausible_energy", "El_kWh", "1250,5", "9999"),
        *[BadRow("end_before_start", _report_backwards)] * 2,
        *_years("Start_plugin", "End_plugout"),
        BadRow("not_a_time", _at_24("Start_plugin")),
        BadRow("not_a_time", _at_24("End_plugout")),
        BadRow("not_a_time", _set(End_plugout="after work")),
        *_reports_in_the_gap(clock),
        *[BadRow(DUPLICATE, _set())] * 3,
        *[BadRow(SUPERSEDED, _set(El_kWh=text)) for text in ("0,4", "1,25", "2")],
    ]


def _load_damage(clock: LocalClock) -> list[BadRow]:
    charging, flexible = "Synthetic_3_6kW", "Flex_7_2kW"
    gap_s = _gap_local_s(clock)
    gap_from, gap_to = stamps([gap_s, gap_s + 3600])
    return [
        *[BadRow(MISSING_KEY, _set(session_ID=NOT_AVAILABLE))] * 3,
        *_numbers("not_a_number", charging, "2.5", "1_000"),
        *_numbers("not_a_number", flexible, "2.5kWh"),
        *_numbers("not_finite", charging, "NaN", "1e400"),
        *_numbers("not_finite", flexible, "Inf"),
        *_numbers("out_of_range", charging, "1e308"),
        *_numbers("out_of_range", flexible, "1e308"),
        *_numbers("negative_energy", charging, "-1,8"),
        *_numbers("negative_energy", flexible, "-0,002"),
        *_numbers("implausible_energy", charging, "36"),
        *_numbers("implausible_energy", flexible, "72,5"),
        *[BadRow("end_before_start", _swapped("date_from", "date_to"))] * 2,
        *_years("date_from", "date_to"),
        BadRow("not_a_time", _at_24("date_from")),
        BadRow("not_a_time", _set(date_to="next hour")),
        *[BadRow("nonexistent_time", _set(date_from=gap_from, date_to=gap_to))] * 2,
        *[BadRow(DUPLICATE, _set())] * 3,
        *[BadRow(SUPERSEDED, _set(Synthetic_3_6kW=text)) for text in ("0,1", "1", "3,33")],
    ]


def _spread(
    rows: list[Row],
    columns: tuple[str, ...],
    damage: list[BadRow],
    is_suitable: Callable[[dict[str, str]], bool],
    next_id: int,
) -> DamagedFeed:
    suitable = [
        index for index, row in enumerate(rows) if is_suitable(dict(zip(columns, row, strict=True)))
    ]
    if len(suitable) < len(damage):
        raise ValueError(f"{len(damage)} bad rows need as many good ones, got {len(suitable)}")
    before: dict[int, Row] = {}
    after: dict[int, Row] = {}
    bad = []
    # The kinds follow each other in the file in turn rather than in blocks.
    for place, kind_index in enumerate(_interleaved(len(damage))):
        bad_row = damage[kind_index]
        index = suitable[(2 * place + 1) * len(suitable) // (2 * len(damage))]
        fields = dict(zip(columns, rows[index], strict=True))
        if bad_row.kind not in _KEEPS_ITS_KEY:
            fields[_KEY] = str(next_id)
            next_id += 1
        fields |= bad_row.change(fields)
        target = before if bad_row.kind == SUPERSEDED else after
        target[index] = list(fields.values())
        bad.append((bad_row.kind, fields[_KEY]))
    spread = [
        version
        for index, row in enumerate(rows)
        for version in (before.get(index), row, after.get(index))
        if version is not None
    ]
    return DamagedFeed(spread, bad, next_id)


def _interleaved(count: int) -> list[int]:
    stride = 5
    return [index for first in range(stride) for index in range(first, count, stride)]


def _is_ordinary_report(report: dict[str, str]) -> bool:
    """Return whether a report has a plug-out that agrees with its duration, on usual days."""
    if report["End_plugout"] == NOT_AVAILABLE or _on_special_day(report["Start_plugin"]):
        return False
    return report["Duration_category"] in (duration_category(h * 3600) for h in (4, 7, 10, 13))


def _is_ordinary_load(load: dict[str, str]) -> bool:
    """Return whether an hour has both values that the damage changes, on a usual day."""
    values = (load["Synthetic_3_6kW"], load["Flex_7_2kW"])
    return NOT_AVAILABLE not in values and not _on_special_day(load["date_from"])


def _on_special_day(stamp: str) -> bool:
    # 29 February is not in every year; the clock changes on the last days of March and October.
    day, month = stamp[:2], stamp[3:5]
    return (day, month) == ("29", "02") or (month in ("03", "10") and day >= "24")


def _set(**texts: str) -> Change:
    return lambda _: texts


def _numbers(kind: str, column: str, *texts: str) -> list[BadRow]:
    return [BadRow(kind, _set(**{column: text})) for text in texts]


def _years(*columns: str) -> list[BadRow]:
    def in_year(year: str) -> Change:
        return lambda fields: {
            column: f"{fields[column][:6]}{year}{fields[column][10:]}" for column in columns
        }

    return [BadRow("time_out_of_range", in_year(year)) for year in ("1970", "0014", "9999")]


def _at_24(column: str) -> Change:
    return lambda fields: {column: f"{fields[column][:10]} 24:00"}


def _swapped(first: str, second: str) -> Change:
    return lambda fields: {first: fields[second], second: fields[first]}


def _report_backwards(report: dict[str, str]) -> dict[str, str]:
    stamps_swapped = _swapped("Start_plugin", "End_plugout")(report)
    return stamps_swapped | _swapped("Start_plugin_hour", "End_plugout_hour")(report)


def _gap_local_s(clock: LocalClock) -> int:
    """Return the first wall-clock second that the spring change skips."""
    change_s = clock.changes_s(forward=True)[0]
    return int(clock.local_seconds(change_s - 1)) + 1


def _reports_in_the_gap(clock: LocalClock) -> list[BadRow]:
    in_gap_s = _gap_local_s(clock) + 30 * 60
    connected_s = 5 * 3600
    return [
        BadRow("nonexistent_time", _set(**_report_times(start_s, end_s, connected_s)))
        for start_s, end_s in (
            (in_gap_s, in_gap_s + connected_s),
            (in_gap_s - connected_s, in_gap_s),
        )
    ]


def _report_times(start_local_s: int, end_local_s: int, duration_s: int) -> dict[str, str]:
    start, end = stamps([start_local_s, end_local_s])
    start_hour = start_local_s // 3600 % 24
    return {
        "Start_plugin": start,
        "Start_plugin_hour": str(start_hour),
        "End_plugout": end,
        "End_plugout_hour": str(end_local_s // 3600 % 24),
        "Duration_hours": hours_text(duration_s),
        "month_plugin": month_name(start_local_s),
        "weekdays_plugin": weekday_name(start_local_s),
        "Plugin_category": plugin_category(start_hour),
        "Duration_category": duration_category(duration_s),
    }
