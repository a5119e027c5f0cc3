"""States, outages and uptime of ports, against a calculation second by second."""

import json
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pytest

from dbt_runner import run_dbt

pytestmark = pytest.mark.builds

EPOCH = datetime(2024, 1, 1, 11, 17, 40, tzinfo=UTC)
# A leap year, and two months more.
LAST = datetime(2025, 3, 2, 5, 0, 1, tzinfo=UTC)
SECONDS = int((LAST - EPOCH).total_seconds())
DAY = 86_400

STATIONS_HEADER = "station_id,site_id,station_name,time_zone,protocol,heartbeat_seconds"
STATIONS = [
    ("both", "S1", "Two ports", "Europe/Oslo", "ocpp1.6", 14_400),
    ("far", "S1", "Zones of their own", "America/New_York", "ocpp2.0.1", 10_000),
    ("brief", "S2", "A month on Lord Howe", "Australia/Lord_Howe", "ocpp1.6", ""),
    ("mute", "S2", "Never heard of", "Europe/Oslo", "ocpp2.0.1", ""),
    ("listed", "S3", "In session lists only", "Europe/Oslo", "", ""),
]
PORTS_HEADER = "station_id,evse_id,connectors,rated_power_kw,commissioned_on,retired_on,time_zone"
PORTS = [
    ("both", 1, "CCS2", 150, "2019-05-01", "", ""),
    ("both", 2, "CCS2+CHAdeMO", 150, "", "", "Europe/Oslo"),
    ("both", 3, "CCS2", 150, "2025-03-03", "", ""),
    ("far", 1, "CCS1", 50, "2024-03-10", "2025-01-15", ""),
    ("far", 2, "CCS1", 50, "", "2024-11-03", "Asia/Kolkata"),
    ("brief", 1, "Type2", 22, "2024-03-16", "2024-04-20", ""),
    ("mute", 1, "Type2", 22, "2024-10-27", "", ""),
    ("listed", 1, "Type2", 22, "", "", ""),
    ("unlisted", 1, "Type2", 22, "", "", ""),
]
EXCLUSIONS_HEADER = "station_id,evse_id,excluded_from,excluded_until,reason"
MESSAGES_HEADER = "charger_id,received_at,direction,message_id,action,payload"
DEFAULT_ZONE = "Europe/Oslo"
DEFAULT_HEARTBEAT = 900
STATUSES = ["Available", "Preparing", "Charging", "Finishing", "Faulted", "Unavailable"]
BAD = {"Faulted": "faulted", "Unavailable": "unavailable"}
YEAR_MINUTES = 525_600


# --- a network ------------------------------------------------------------------------------------


def stamp(second: int) -> str:
    """A second of the observation as the feeds write it."""
    return f"{EPOCH + timedelta(seconds=second):%Y-%m-%dT%H:%M:%SZ}"


def status_payload(protocol: str, evse: int, status: str, second: int) -> str:
    """What a charger says of one of its ports."""
    if protocol == "ocpp2.0.1":
        content = {"connectorStatus": status, "evseId": evse, "connectorId": 1}
    else:
        content = {"status": status, "connectorId": evse, "errorCode": "NoError"}
    return json.dumps(content | {"timestamp": stamp(second)})


def silences(random: Random, begin: int, end: int, heartbeat: int) -> list[tuple[int, int]]:
    """Spans without a message: two of exactly three heartbeats and a second more, others longer."""
    starts = sorted(random.sample(range(begin + DAY, end - 5 * DAY, 4 * heartbeat), 40))
    lengths = [3 * heartbeat, 3 * heartbeat + 1]
    lengths += [random.randrange(heartbeat, 40 * heartbeat) for _ in starts[2:]]
    return [(start, start + length) for start, length in zip(starts, lengths, strict=True)]


def talk(random: Random, charger: str, span: tuple[int, int], ports: list[int]) -> tuple:
    """Messages of a charger.

    Returns:
        seconds in which one is received, and statuses as (port, second in which it holds, second of
        receipt, number, status).
    """
    begin, end = span
    heartbeat = heartbeat_of(charger)
    quiet = silences(random, begin, end, heartbeat)
    beats = {second for span in quiet for second in span} | {begin, end}
    beats |= set(range(begin, end, heartbeat // 2))
    statuses = []
    for port in ports:
        second = begin + random.randrange(3 * DAY)
        while second < end:
            statuses.append((port, second, random.choice(STATUSES)))
            if random.random() < 0.3:
                # another one in the same second, or the same again
                statuses.append((port, second, random.choice(STATUSES)))
            second += random.randrange(1, 2 * DAY if port else 40 * DAY)
    received = []
    for number, (port, second, status) in enumerate(statuses):
        delay = random.randrange(DAY) if random.random() < 0.05 else random.randrange(3)
        receipt = min(second + delay, end)
        received.append((port, second, receipt, f"s{number:05}", status))

    # a status from within a silence is sent when it is over
    def after_silence(receipt: int) -> int:
        return next((b for a, b in quiet if a < receipt < b), receipt)

    received = [(p, s, after_silence(r), m, t) for p, s, r, m, t in received]
    heard = {beat for beat in beats if after_silence(beat) == beat}
    return sorted(heard | {receipt for _, _, receipt, _, _ in received}), received


def heartbeat_of(charger: str) -> int:
    """Seconds between two heartbeats of a charger."""
    named = {station[0]: station[5] for station in STATIONS}
    return named.get(charger) or DEFAULT_HEARTBEAT


@pytest.fixture(scope="module")
def network() -> dict:
    """Seconds of receipt, statuses and exclusions of every charger that talks."""
    random = Random(680_116)
    month = (70 * DAY, 95 * DAY)
    chargers = {
        "both": talk(random, "both", (0, SECONDS), [0, 1, 2]),
        "far": talk(random, "far", (6 * DAY, SECONDS - 3 * DAY), [0, 1, 2]),
        "brief": talk(random, "brief", month, [1]),
        "unlisted": talk(random, "unlisted", (200 * DAY, 220 * DAY), [1]),
    }
    exclusions = [("both", 1, 0, SECONDS // 3), ("nowhere", 1, 0, SECONDS)]
    for _ in range(60):
        begin = random.randrange(SECONDS - 30 * DAY)
        station = random.choice(["both", "far", "mute"])
        exclusions.append((station, random.choice([None, 1, 2]), begin, begin + 3 * DAY))
    return {"chargers": chargers, "exclusions": exclusions}


def lines_of(network: dict, random: Random) -> dict[str, list[str]]:
    """The feeds as lines, messages in no order."""
    protocols = {station[0]: station[4] for station in STATIONS}
    messages = []
    for charger, (heard, statuses) in network["chargers"].items():
        for port, second, receipt, number, status in statuses:
            payload = status_payload(protocols.get(charger, ""), port, status, second)
            quoted = '"' + payload.replace('"', '""') + '"'
            row = (charger, stamp(receipt), "from_charger", number, "StatusNotification", quoted)
            messages.append(",".join(row))
        told = {receipt for _, _, receipt, _, _ in statuses}
        for place, second in enumerate(second for second in heard if second not in told):
            messages.append(f"{charger},{stamp(second)},from_charger,h{place},Heartbeat,{{}}")
            # the answer is no sign of life, however late it is
            late = stamp(min(second + 200, SECONDS))
            messages.append(f"{charger},{late},to_charger,h{place},Heartbeat,{{}}")
    random.shuffle(messages)
    exclusions = [
        f"{station},{port or ''},{stamp(begin)},{stamp(end)},maintenance {place}"
        for place, (station, port, begin, end) in enumerate(network["exclusions"])
    ]
    return {
        "network__stations": [STATIONS_HEADER, *(",".join(map(str, row)) for row in STATIONS)],
        "network__ports": [PORTS_HEADER, *(",".join(map(str, row)) for row in PORTS)],
        "network__outage_exclusions": [EXCLUSIONS_HEADER, *exclusions],
        "network__charger_messages": [MESSAGES_HEADER, *messages],
    }


@pytest.fixture(scope="module")
def built(network: dict, tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """A warehouse of that network."""
    folder = tmp_path_factory.mktemp("uptime")
    feeds = {}
    for feed, lines in lines_of(network, Random(1)).items():
        path = folder / f"{feed}.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        feeds[feed] = str(path)
    arguments = ["build", "--exclude-resource-type", "unit_test", "--indirect-selection=cautious"]
    arguments += ["--select", "+fct_port_status", "+port_uptime_monthly"]
    result = run_dbt(arguments, folder / "warehouse.duckdb", vars={"feeds": feeds})
    assert result.returncode == 0, result.stdout
    assert "WARN=0" in result.stdout
    return duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True)


# --- the same second by second --------------------------------------------------------------------


def second_of(day: date, zone: str) -> int:
    """Second of the observation in which a local day begins; negative before it."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return int((midnight.astimezone(UTC) - EPOCH).total_seconds())


def codes_of(statuses: list[tuple], port: int) -> np.ndarray:
    """Number of the status that a port reported last, second by second; -1 before the first."""
    codes = np.full(SECONDS, -1, dtype=np.int8)
    own = sorted((second, *rest) for number, second, *rest in statuses if number == port)
    for (second, *_, status), (until, *_) in pairwise([*own, (SECONDS,)]):
        codes[second:until] = STATUSES.index(status)
    return codes


def runs(codes: np.ndarray, begin: int, end: int) -> list[tuple[int, int]]:
    """First and last second (exclusive) of every run of the same value in [begin, end)."""
    changes = begin + 1 + np.flatnonzero(np.diff(codes[begin:end]))
    return list(pairwise([begin, *changes.tolist(), end]))


class Port:
    """What a port was in every second of the observation, as arrays of that length."""

    def __init__(self, network: dict, row: tuple):
        self.station, self.number, *_, commissioned, retired, zone = row
        station = next((station for station in STATIONS if station[0] == self.station), None)
        self.zone = zone or (station[3] if station else DEFAULT_ZONE)
        self.begin, self.end = 0, SECONDS
        if commissioned:
            self.begin = max(0, second_of(date.fromisoformat(commissioned), self.zone))
        if retired:
            self.end = min(SECONDS, second_of(date.fromisoformat(retired), self.zone))
        heard, statuses = network["chargers"].get(self.station, ([], []))
        self.is_monitored = bool(heard or (station and station[4])) and self.begin < self.end

        self.offline = np.zeros(SECONDS, dtype=bool)
        if self.is_monitored:
            edges = {self.begin} if not heard or heard[0] > self.begin else set()
            edges |= {self.end} if not heard or heard[-1] < self.end else set()
            patience = 3 * heartbeat_of(self.station)
            for last, following in pairwise(sorted(edges | set(heard))):
                if following - last > patience:
                    self.offline[last:following] = True
        own, whole = codes_of(statuses, self.number), codes_of(statuses, 0)
        self.down = {"offline": self.offline}
        for status, cause in BAD.items():
            code = STATUSES.index(status)
            self.down[cause] = (own == code) | (whole == code)
        bad = [STATUSES.index(status) for status in BAD]
        self.status = np.where(np.isin(whole, bad) & ~np.isin(own, bad), whole, own)
        self.is_down = np.logical_or.reduce(list(self.down.values()))

        self.excluded = np.zeros(SECONDS, dtype=bool)
        for station_id, port, first, last in network["exclusions"]:
            if station_id == self.station and port in (None, self.number):
                self.excluded[first:last] = True
        self.excluded &= self.is_down

    def causes(self, begin: int, end: int) -> str | None:
        """Everything that took the port down in a span."""
        found = [cause for cause, seconds in self.down.items() if seconds[begin:end].any()]
        return "+".join(sorted(found)) or None

    def states(self) -> list[tuple]:
        """States as (begin, end, status, causes, is online, is up)."""
        codes = self.status.astype(np.int16)
        for place, seconds in enumerate(self.down.values()):
            codes = codes + seconds * np.int16(100 << place)
        return [
            (
                begin,
                end,
                "unknown" if self.status[begin] < 0 else STATUSES[self.status[begin]],
                self.causes(begin, end),
                not self.offline[begin],
                not self.is_down[begin],
            )
            for begin, end in runs(codes, self.begin, self.end)
        ]

    def outages(self) -> list[tuple]:
        """Outages as (begin, end, causes)."""
        return [
            (begin, end, self.causes(begin, end))
            for begin, end in runs(self.is_down, self.begin, self.end)
            if self.is_down[begin]
        ]

    def months(self) -> list[tuple[date, int, int]]:
        """First day, begin and end of each local month of the window."""
        firsts = [date(year, month, 1) for year in (2023, 2024, 2025) for month in range(1, 13)]
        found = []
        for first, following in pairwise(firsts):
            begin = max(self.begin, second_of(first, self.zone))
            end = min(self.end, second_of(following, self.zone))
            if begin < end:
                found.append((first, begin, end))
        return found

    def uptime(self) -> list[dict]:
        """Rows of port_uptime_monthly, times in seconds."""
        rows = []
        for first, begin, end in self.months():
            span = slice(begin, end)
            down, excluded = int(self.is_down[span].sum()), int(self.excluded[span].sum())
            row = {
                "month_start_date": first,
                "commissioned": end - begin,
                "up": end - begin - down,
                "down": down,
                "excluded": excluded,
                "unknown": int(((self.status[span] < 0) & ~self.is_down[span]).sum()),
                "month_uptime_pct": 100 * (end - begin - down + excluded) / (end - begin),
            }
            row |= {cause: int(seconds[span].sum()) for cause, seconds in self.down.items()}
            rows.append(row)
            year = {name: sum(r[name] for r in rows[-12:]) for name in ("commissioned", "excluded")}
            outage = sum(r["down"] for r in rows[-12:])
            whole = min(year["commissioned"], YEAR_MINUTES * 60)
            uptime = max(0, 100 * (whole - outage + year["excluded"]) / whole)
            row |= {f"{name}_12m": value for name, value in year.items()}
            row |= {"outage_12m": outage, "denominator_12m": whole, "uptime_pct": uptime}
            row |= {"is_scaled": year["commissioned"] < YEAR_MINUTES * 60}
            row |= {"is_compliant": uptime > 97}
        return rows


@pytest.fixture(scope="module")
def ports(network: dict) -> dict[tuple[str, int], Port]:
    """The ports whose uptime is measured."""
    every = [Port(network, row) for row in PORTS]
    return {(port.station, port.number): port for port in every if port.is_monitored}


def found_by_port(connection: duckdb.DuckDBPyConnection, query: str) -> dict:
    """Rows of a query per port, which its first two columns name."""
    rows = defaultdict(list)
    for station, number, *row in connection.execute(query).fetchall():
        rows[station, number].append(tuple(row))
    return dict(rows)


# --- both are the same ----------------------------------------------------------------------------

OFFSETS = f"date_diff('second', timestamp '{EPOCH:%Y-%m-%d %H:%M:%S}', started_at), " + (
    f"date_diff('second', timestamp '{EPOCH:%Y-%m-%d %H:%M:%S}', ended_at)"
)


@pytest.mark.parametrize("entity", ["stations", "ports", "outage_exclusions", "charger_messages"])
def test_every_row_is_accepted(built, entity):
    found = built.execute(f"select distinct row_status from staging.base_network__{entity}")
    assert found.fetchall() == [("accepted",)]


def test_the_network_is_observed_from_its_first_message_to_its_last(built):
    # stamps are taken as they are
    assert built.execute("from intermediate.int_network__clock_offsets").fetchall() == []
    observed = built.execute("from intermediate.int_network__observation").fetchall()
    assert observed == [(EPOCH.replace(tzinfo=None), LAST.replace(tzinfo=None))]


def test_the_states_of_a_port_are_those_of_its_seconds(built, ports):
    found = found_by_port(
        built,
        f"""
        select charger_id, evse_id, {OFFSETS}, status, down_causes, is_online, is_up
        from reliability.fct_port_status
        inner join (
            select port_key, charger_id, evse_id from intermediate.int_network__port_windows
        ) using (port_key)
        order by started_at
        """,
    )
    assert found == {key: port.states() for key, port in ports.items()}


def test_the_outages_of_a_port_are_the_runs_of_its_seconds_down(built, ports):
    found = found_by_port(
        built,
        f"""
        select charger_id, evse_id, {OFFSETS}, causes
        from intermediate.int_network__outages
        order by started_at
        """,
    )
    expected = {key: port.outages() for key, port in ports.items()}
    assert found == expected
    causes = {row[2] for rows in expected.values() for row in rows}
    assert {"faulted", "offline", "unavailable", "faulted+offline"} <= causes


def test_the_uptime_of_a_port_is_that_of_its_seconds(built, ports):
    expected = {key: port.uptime() for key, port in ports.items()}
    names = list(expected["both", 1][0])
    columns = [
        name
        if name.startswith(("is_", "month_")) or name.endswith("_pct")
        else f"{name.removesuffix('_12m')}_minutes{'_12m' if name.endswith('_12m') else ''}"
        for name in names
    ]
    found = found_by_port(
        built,
        f"""
        select station_id, evse_id, {", ".join(columns)}
        from reliability.port_uptime_monthly
        order by month_start_date
        """,
    )
    assert found.keys() == expected.keys()
    for key, rows in expected.items():
        assert len(found[key]) == len(rows), key
        for values, row in zip(found[key], rows, strict=True):
            for name, value in zip(names, values, strict=True):
                if isinstance(row[name], bool | date):
                    assert value == row[name], (key, name)
                elif name.endswith("_pct"):
                    assert value == pytest.approx(row[name], abs=1e-9), (key, name)
                else:
                    assert float(value) * 60 == pytest.approx(row[name], abs=1e-3), (key, name)


def test_the_network_has_what_makes_uptime_hard(network, ports):
    rows = [row for port in ports.values() for row in port.uptime()]
    # an hour more or less, a whole leap year, exclusions, unknown statuses, and both verdicts
    assert {31 * DAY - 3600, 31 * DAY + 3600} <= {row["commissioned"] for row in rows}
    assert any(row["commissioned_12m"] == 366 * DAY for row in rows)
    assert any(0 < row["excluded"] < row["down"] for row in rows)
    assert any(row["unknown"] for row in rows)
    assert {row["is_compliant"] for row in rows} == {True, False}
    assert {row["is_scaled"] for row in rows} == {True, False}
    # silences as long as the patience and a second longer, and statuses in the same second
    for charger, (heard, statuses) in network["chargers"].items():
        gaps = {following - last for last, following in pairwise(heard)}
        assert {3 * heartbeat_of(charger), 3 * heartbeat_of(charger) + 1} <= gaps
        assert len({status[:2] for status in statuses}) < len(statuses)
    # a port that comes after the observation and one without messages and protocol are not there
    assert set(ports) == {(row[0], row[1]) for row in PORTS} - {("both", 3), ("listed", 1)}
