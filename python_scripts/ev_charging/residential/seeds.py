"""The two seeds of the residential source: charging reports and hourly loads."""

from pathlib import Path

from ev_charging.residential.bad_rows import DamagedFeed, damaged_loads, damaged_reports
from ev_charging.residential.charging_reports import neighbourhood_sessions
from ev_charging.residential.local_clock import LocalClock
from ev_charging.residential.neighbourhood import seed_neighbourhood
from ev_charging.residential.published_format import (
    LOAD_COLUMNS,
    REPORT_COLUMNS,
    load_rows,
    report_rows,
    write_rows,
)
from ev_charging.residential.special_sessions import GUESTS, with_special_sessions

REPORTS_FILE = "raw_residential__charging_reports.csv"
LOADS_FILE = "raw_residential__hourly_loads.csv"


def seed_feeds(year: int, seed: int) -> tuple[DamagedFeed, DamagedFeed]:
    """Return the charging reports and the hourly loads of one year, bad rows included."""
    clock = LocalClock.of_year(year)
    residents = seed_neighbourhood()
    users = (*residents, *GUESTS)
    sessions = neighbourhood_sessions(residents, clock, year, seed)
    sessions = with_special_sessions(sessions, users, clock, year)
    reports = damaged_reports(report_rows(sessions, users, clock), clock, next_id=len(sessions) + 1)
    loads = damaged_loads(load_rows(sessions, users, clock), clock, next_id=reports.next_id)
    return reports, loads


def write_seeds(folder: Path, year: int, seed: int) -> dict[Path, int]:
    """Write both seeds into `folder`; return the number of rows of each file."""
    reports, loads = seed_feeds(year, seed)
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for name, columns, feed in (
        (REPORTS_FILE, REPORT_COLUMNS, reports),
        (LOADS_FILE, LOAD_COLUMNS, loads),
    ):
        write_rows(folder / name, columns, feed.rows)
        written[folder / name] = len(feed.rows)
    return written
