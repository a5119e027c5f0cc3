"""Text exactly as in the published files: headers, stamps, decimals, categories, row order."""

from pathlib import Path

import numpy as np

from ev_charging.residential.charging_reports import Sessions
from ev_charging.residential.hourly_loads import (
    PROFILES_WH_PER_S,
    HourlyLoads,
    closing_residues,
    hourly_loads,
)
from ev_charging.residential.local_clock import HOUR_S, LocalClock
from ev_charging.residential.neighbourhood import NOT_AVAILABLE, ChargingUser

REPORT_COLUMNS = (
    "session_ID",
    "Garage_ID",
    "User_ID",
    "User_type",
    "Shared_ID",
    "Start_plugin",
    "Start_plugin_hour",
    "End_plugout",
    "End_plugout_hour",
    "El_kWh",
    "Duration_hours",
    "month_plugin",
    "weekdays_plugin",
    "Plugin_category",
    "Duration_category",
)
LOAD_COLUMNS = (
    "date_from",
    "date_to",
    "User_ID",
    "session_ID",
    "Synthetic_3_6kW",
    "Synthetic_7_2kW",
    "Flex_3_6kW",
    "Flex_7_2kW",
)
SEPARATOR = ";"

Row = list[str]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PLUGIN_CATEGORIES = (
    "early night (midnight-3)",
    "late night (3-6)",
    "early morning (6-9)",
    "late morning (9-12)",
    "early afternoon (12-15)",
    "late afternoon (15-18)",
    "early evening (18-21)",
    "late evening (21-midnight)",
)
# The two blanks before "hours" are in the publication.
_DURATION_CATEGORIES = (
    "Less than 3 hours",
    "Between 3 and 6 hours",
    "Between 6 and 9  hours",
    "Between 9 and 12 hours",
    "Between 12 and 15 hours",
    "Between 15 and 18 hours",
    "More than 18 hours",
)
_CATEGORY_HOURS = 3
_DURATION_CHARACTERS = 11


def stamps(local_s: np.ndarray) -> list[str]:
    """Return wall-clock seconds as `DD.MM.YYYY HH:MM`, cut to the minute."""
    texts = np.datetime_as_string(np.asarray(local_s).astype("datetime64[s]"), unit="m")
    return [f"{t[8:10]}.{t[5:7]}.{t[:4]} {t[11:]}" for t in texts]


def kwh_text(energy_wh: int) -> str:
    """Return Wh as kWh with a decimal comma and no trailing zeros."""
    whole, rest = divmod(int(energy_wh), 1000)
    return f"{whole},{rest:03}".rstrip("0").rstrip(",")


def load_text(energy_wh: int) -> str:
    """Return an hourly value, where nothing is `NA`."""
    return kwh_text(energy_wh) if energy_wh else NOT_AVAILABLE


def hours_text(duration_s: int) -> str:
    """Return seconds as decimal hours in at most 11 characters, as a spreadsheet shows them."""
    whole_digits = len(str(int(duration_s) // HOUR_S))
    text = f"{duration_s / HOUR_S:.{_DURATION_CHARACTERS - 1 - whole_digits}f}"
    return text.rstrip("0").rstrip(".").replace(".", ",")


def residue_text(energy_kwh: float) -> str:
    """Return a rounding residue in scientific notation, such as `4,00E-16`."""
    return f"{energy_kwh:.2E}".replace(".", ",")


def plugin_category(hour: int) -> str:
    """Return the name of the three hours of the day in which `hour` (0-23) lies."""
    return _PLUGIN_CATEGORIES[hour // _CATEGORY_HOURS]


def duration_category(duration_s: int) -> str:
    """Return the name of the class of a time connected, s."""
    number = duration_s // (_CATEGORY_HOURS * HOUR_S)
    return _DURATION_CATEGORIES[min(number, len(_DURATION_CATEGORIES) - 1)]


def month_name(local_s: int) -> str:
    """Return the abbreviated month of wall-clock seconds."""
    return _MONTHS[int(np.datetime64(local_s, "s").astype("datetime64[M]").astype(int)) % 12]


def weekday_name(local_s: int) -> str:
    """Return the day of the week of wall-clock seconds (1 January 1970 was a Thursday)."""
    return _WEEKDAYS[(local_s // (24 * HOUR_S) + 3) % 7]


def report_rows(
    sessions: Sessions, users: tuple[ChargingUser, ...], clock: LocalClock
) -> list[Row]:
    """Return data set 1, one row per session, numbered from 1 in the given order."""
    plugin_local_s = clock.local_seconds(sessions.plugin_s)
    plugout_local_s = clock.local_seconds(sessions.plugout_s) + sessions.plugout_clock_error_s
    starts, ends = stamps(plugin_local_s), stamps(plugout_local_s)
    rows = []
    for index in range(len(sessions)):
        user = users[sessions.user[index]]
        start_hour = int(plugin_local_s[index]) // HOUR_S % 24
        end_hour = int(plugout_local_s[index]) // HOUR_S % 24
        duration_s = int(sessions.duration_s[index])
        is_open = bool(sessions.is_open[index])
        rows.append(
            [
                str(index + 1),
                user.garage_id,
                user.user_id,
                user.user_type,
                user.shared_id,
                starts[index],
                str(start_hour),
                NOT_AVAILABLE if is_open else ends[index],
                NOT_AVAILABLE if is_open else str(end_hour),
                kwh_text(sessions.energy_wh[index]),
                NOT_AVAILABLE if is_open else hours_text(duration_s),
                month_name(int(plugin_local_s[index])),
                weekday_name(int(plugin_local_s[index])),
                plugin_category(start_hour),
                NOT_AVAILABLE if is_open else duration_category(duration_s),
            ]
        )
    return rows


def load_rows(sessions: Sessions, users: tuple[ChargingUser, ...], clock: LocalClock) -> list[Row]:
    """Return data set 2: a row per hour and session, and an empty row per hour without any.

    Ordered by hour, then session; sessions are numbered from 1 in the given order.
    """
    duration_s = sessions.reported_duration_s
    loads = hourly_loads(sessions.plugin_s, sessions.energy_wh, duration_s, clock.lost_hours())
    values = _load_values(loads)
    _add_residues(values, sessions, clock)
    values = dict(sorted(values.items()))
    hours = [hour for hour, _ in values]
    every_hour = np.arange(hours[0], hours[-1] + 1)
    from_texts = stamps(clock.local_seconds(every_hour * HOUR_S))
    to_texts = stamps(clock.local_seconds((every_hour + 1) * HOUR_S))

    rows_of_hour: dict[int, list[Row]] = {int(hour): [] for hour in every_hour}
    for (hour, session), texts in values.items():
        user_id = users[sessions.user[session]].user_id
        rows_of_hour[hour].append([user_id, str(session + 1), *texts])
    empty = [[NOT_AVAILABLE] * (len(LOAD_COLUMNS) - 2)]
    return [
        [date_from, date_to, *row]
        for date_from, date_to, rows in zip(
            from_texts, to_texts, rows_of_hour.values(), strict=True
        )
        for row in rows or empty
    ]


def write_rows(path: Path, columns: tuple[str, ...], rows: list[Row]) -> None:
    """Write a file of the publication's layout, with LF line ends, replacing `path` as a whole.

    Raises:
        ValueError: if a value contains the separator, a quote or a line end.
    """
    for row in rows:
        if any(set(value) & set(f'{SEPARATOR}"\r\n') for value in row):
            raise ValueError(f"a value needs quoting, which the publication does not have: {row}")
    lines = (SEPARATOR.join(row) + "\n" for row in [list(columns), *rows])
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_bytes("".join(lines).encode())
    unfinished.replace(path)


def _load_values(loads: HourlyLoads) -> dict[tuple[int, int], Row]:
    columns = (
        loads.synthetic_3_6_wh,
        loads.synthetic_7_2_wh,
        loads.flex_3_6_wh,
        loads.flex_7_2_wh,
    )
    cells = zip(loads.hour.tolist(), loads.session.tolist(), strict=True)
    texts = zip(*([load_text(value) for value in column] for column in columns), strict=True)
    return {cell: list(row) for cell, row in zip(cells, texts, strict=True)}


def _add_residues(
    values: dict[tuple[int, int], Row], sessions: Sessions, clock: LocalClock
) -> None:
    lost_hours = set(clock.lost_hours().tolist())
    for profile, wh_per_s in enumerate(PROFILES_WH_PER_S):
        found = closing_residues(
            sessions.plugin_s, sessions.energy_wh, sessions.reported_duration_s, wh_per_s
        )
        for session, hour, residue_kwh in zip(*(part.tolist() for part in found), strict=True):
            if hour not in lost_hours:
                row = values.setdefault((hour, session), [NOT_AVAILABLE] * 4)
                row[2 + profile] = residue_text(residue_kwh)
