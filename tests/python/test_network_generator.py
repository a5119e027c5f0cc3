"""The network generator: messages by the standard, a truth that they tell, damage, files."""

import csv
import json
import re
from bisect import bisect
from collections import Counter, defaultdict
from datetime import date, datetime
from zoneinfo import ZoneInfo

import duckdb
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import generate_network as command
from ev_charging.bad_rows import DUPLICATE, SUPERSEDED
from ev_charging.network_feed.damage import KINDS
from ev_charging.network_feed.draws import Choices, Draws
from ev_charging.network_feed.large_feed import NetworkSize, stations_for, write_network
from ev_charging.network_feed.layout import site_of
from ev_charging.network_feed.network import network_part
from ev_charging.network_feed.payloads import lowered, moved, with_register, without_token
from ev_charging.network_feed.seed_network import DAYS, FIRST_DAY, seed_sites
from ev_charging.network_feed.seeds import (
    BAD_ROWS,
    DAMAGE_FACTOR,
    ODD_KINDS,
    UNKNOWN_STATION,
    seed_feeds,
    seed_file,
    write_network_seeds,
)
from ev_charging.network_feed.tables import FEEDS, TRUTH, text_frame
from ev_charging.network_feed.truth import PortSpans, outage_rows
from network_rebuild import Charger, down_time, once, seconds, stamp_in, text_of, visits_of

SEED = 42
SEEDS_FOLDER = command.SEEDS_FOLDER
STATIONS, START, NETWORK_DAYS = 12, date(2024, 10, 17), 30
HEARTBEAT_S = 900
MESSAGES = "network__charger_messages"
TIMES = ("started_at", "ended_at", "power_started_at", "plugged_in_at", "plugged_out_at")


def part_of(stations=STATIONS, days=NETWORK_DAYS, damage=0.0, seed=SEED):
    sites = [site_of(number, stations, seed, START, days) for number in range((stations + 1) // 2)]
    return network_part(sites, START, days, seed, damage)


@pytest.fixture(scope="module")
def clean():
    return part_of()


@pytest.fixture(scope="module")
def damaged():
    return part_of(damage=2.0)


@pytest.fixture(scope="module")
def seed_part():
    return network_part(seed_sites(), FIRST_DAY, DAYS, SEED, DAMAGE_FACTOR)


@pytest.fixture(scope="module")
def seeds():
    return seed_feeds(SEED)


def dicts(part, table):
    columns = list({**FEEDS, **TRUTH}[table])
    return [dict(zip(columns, row, strict=True)) for row in part.rows[table]]


def messages_by_charger(part):
    found = defaultdict(list)
    for charger_id, at, from_charger, message_id, action, payload in part.rows[MESSAGES]:
        direction = "from_charger" if from_charger else "to_charger"
        found[charger_id].append((at, direction, message_id, action, payload))
    return found


def rebuild(part):
    """Return the chargers, and everything that is told of attempts by attempt id."""
    chargers = {
        name: Charger(name, messages) for name, messages in messages_by_charger(part).items()
    }
    attempts = [one for charger in chargers.values() for one in charger.attempts()]
    site_of_station = {
        one["station_id"]: one["site_id"] for one in dicts(part, "network__stations")
    }
    visits = visits_of(attempts, site_of_station, part.heard[1])
    names = ("visit_id", "attempt_number", "is_last_attempt", "driver_token")
    return chargers, {
        one["attempt_id"]: one | dict(zip(names, visits[one["attempt_id"]], strict=True))
        for one in attempts
    }


@pytest.fixture(scope="module")
def rebuilt(clean):
    return rebuild(clean)


@pytest.fixture(scope="module")
def rebuilt_damaged(damaged):
    return rebuild(damaged)


@pytest.fixture(scope="module")
def truth(clean):
    return {one["attempt_id"]: one for one in dicts(clean, "truth_attempts")}


def differing(truth, rebuilt):
    """Return the ids of attempts of which something else is told than what is true."""
    return {
        name
        for name in truth.keys() | rebuilt.keys()
        if name not in truth
        or name not in rebuilt
        or any(truth[name][column] != value for column, value in rebuilt[name].items())
    }


# --- the truth is what the messages tell -----------------------------------------------------


def test_the_messages_of_a_clean_network_tell_the_true_attempts_and_visits(truth, rebuilt):
    assert len(truth) > 2000
    assert differing(truth, rebuilt[1]) == set()


def test_the_messages_of_a_clean_network_tell_the_true_sessions(clean, rebuilt):
    chargers, _ = rebuilt
    count = 0
    for one in dicts(clean, "truth_sessions"):
        if one["source"] == "messages":
            told = chargers[one["charger_id"]].sessions()[one["transaction_id"]]
            assert {column: one[column] for column in told} == told
            count += 1
    assert count == sum(len(charger.transactions) for charger in chargers.values())


def test_the_messages_of_a_clean_network_tell_the_true_outages(clean, rebuilt):
    chargers, _ = rebuilt
    stations = {one["station_id"]: one for one in dicts(clean, "network__stations")}
    told = []
    for port in dicts(clean, "network__ports"):
        name, station = port["station_id"], stations[port["station_id"]]
        if station["protocol"] is None:
            continue
        zone = ZoneInfo(port["time_zone"] or station["time_zone"])
        opened, closed = (
            day and int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())
            for day in (port["commissioned_on"], port["retired_on"])
        )
        window = max(opened, clean.heard[0]), min(closed or clean.heard[1], clean.heard[1])
        heartbeat_s = station["heartbeat_seconds"] or HEARTBEAT_S
        spans = down_time(chargers[name], port["evse_id"], window, heartbeat_s, clean.heard)
        told += [(name, port["evse_id"], *span) for span in spans]
    assert sorted(told) == sorted(outage_rows(clean.ports, clean.heard))
    assert {row[-1] for row in told} > {"faulted", "offline", "unavailable", "faulted+offline"}


def test_the_visits_of_the_truth_are_those_of_its_attempts(clean, truth):
    by_visit = defaultdict(list)
    for one in truth.values():
        by_visit[one["visit_id"]].append(one)
    visits = {one["visit_id"]: one for one in dicts(clean, "truth_visits")}
    assert visits.keys() == by_visit.keys()
    for name, several in by_visit.items():
        several.sort(key=lambda one: one["attempt_number"])
        visit, first, last = visits[name], several[0], several[-1]
        assert [one["attempt_number"] for one in several] == [*range(1, len(several) + 1)]
        assert (
            [one["is_last_attempt"] for one in several].count(True) == 1 == last["is_last_attempt"]
        )
        assert visit["attempts"] == len(several)
        assert visit["outcome"] == last["outcome"]
        assert visit["started_at"] == first["started_at"] == min(x["started_at"] for x in several)
        energies = [one["energy_kwh"] for one in several if one["energy_kwh"] is not None]
        assert visit["energy_kwh"] == (sum(energies) if energies else None)
        assert visit["is_first_attempt_succeeded"] == (first["outcome"] == "succeeded")
        if visit["outcome"] == "succeeded":
            worked = visit["is_first_attempt_succeeded"]
            assert visit["visit_result"] == ("first_attempt" if worked else "after_retries")
        else:
            assert visit["visit_result"] == visit["outcome"]


def test_a_port_has_one_vehicle_at_a_time(truth):
    by_port = defaultdict(list)
    for one in truth.values():
        if one["evse_id"] is not None:
            by_port[one["charger_id"], one["evse_id"]].append(one)
    assert len(by_port) == 18
    for several in by_port.values():
        several.sort(key=lambda one: one["started_at"])
        for before, after in zip(several, several[1:], strict=False):
            assert before["ended_at"] is not None
            assert before["ended_at"] <= after["started_at"]


def test_nothing_is_sent_while_a_charger_is_offline(clean, rebuilt):
    chargers, _ = rebuilt
    offline = [row for row in outage_rows(clean.ports, clean.heard) if row[-1] == "offline"]
    assert len(offline) > 20
    for name, _, begin, end, _ in offline:
        heard = chargers[name].heard
        assert not any(begin < at < end for at in heard[bisect(heard, begin) :][:1])


def test_outages_span_month_ends_and_clock_changes(clean):
    zones = {one["station_id"]: one["time_zone"] for one in dicts(clean, "network__stations")}
    spanned = set()
    for name, _, begin, end, _ in outage_rows(clean.ports, clean.heard):
        first, last = (datetime.fromtimestamp(at, ZoneInfo(zones[name])) for at in (begin, end))
        if first.month != last.month:
            spanned.add("month end")
        if first.utcoffset() != last.utcoffset():
            spanned.add(zones[name])
    assert spanned == {"month end", "Europe/Oslo", "America/New_York"}


def test_three_heartbeats_without_a_message_are_not_an_outage(clean, rebuilt):
    chargers, _ = rebuilt
    gaps = Counter(
        after - before
        for charger in chargers.values()
        for before, after in zip(charger.heard, charger.heard[1:], strict=False)
    )
    assert gaps[3 * HEARTBEAT_S] > 0
    offline = {row[3] - row[2] for row in outage_rows(clean.ports, clean.heard)}
    assert 3 * HEARTBEAT_S not in offline


def test_outages_are_cut_to_the_time_in_which_a_port_is_monitored():
    spans = [(0, 100, "faulted"), (90, 200, "offline"), (200, 210, "unavailable"), (300, 310, "x")]
    assert outage_rows([PortSpans("c", 1, 50, 1000, spans)], (0, 305)) == [
        ("c", 1, 50, 210, "faulted+offline+unavailable"),
        ("c", 1, 300, 305, "x"),
    ]
    assert outage_rows([PortSpans("c", 1, 400, 1000, spans)], (0, 305)) == []


def test_attempts_fail_in_every_known_way(truth):
    seen = Counter((one["attempt_mode"], one["outcome"]) for one in truth.values())
    modes = ("cached_authorization", "remote_start", "authorize_first", "plug_in_first")
    assert all(seen[mode, "succeeded"] and seen[mode, "failed"] for mode in modes)
    reasons = Counter(one["failure_reason"] for one in truth.values())
    assert {"no_power", "no_energy", "authorization_rejected", "not_started"} < set(reasons)
    assert sum(count for reason, count in reasons.items() if "stopped: " in (reason or "")) > 20
    kinds = Counter(one["attempt_id"].split("/")[0] for one in truth.values())
    assert set(kinds) == {"transaction", "authorize", "remote_start", "plug_in"}
    assert any(one["is_driver_inferred"] for one in truth.values())
    assert any(one["outcome"] == "open" for one in truth.values())


def test_bad_stations_fail_more_often(truth):
    known = [one for one in truth.values() if one["outcome"] in ("succeeded", "failed")]
    failed = Counter(one["charger_id"] for one in known if one["outcome"] == "failed")
    count = Counter(one["charger_id"] for one in known)
    rates = {name: failed[name] / count[name] for name in count}
    worst = max(rates, key=rates.get)
    assert worst in ("CP00004", "CP00011")
    assert rates[worst] > 2 * sorted(rates.values())[len(rates) // 2]


def test_sessions_in_the_list_and_in_messages_are_near_in_time_or_share_an_id(clean):
    listed = {one["session_id"]: one for one in dicts(clean, "network__charging_sessions")}
    found = Counter()
    sessions = [one for one in dicts(clean, "truth_sessions") if one["source"] == "messages"]
    for one in sessions:
        name = one["list_session_id"]
        other = listed.pop(name, None)
        if other is None:
            assert name is None
            continue
        assert other["station_id"] == one["charger_id"]
        for column in ("started_at", "ended_at"):
            assert abs(one[column] - other[column]) <= 120
        assert other["started_at"] <= other["ended_at"]
        similar = [
            rival
            for rival in sessions
            if rival["charger_id"] == one["charger_id"]
            and rival["ended_at"] is not None
            and abs(rival["started_at"] - other["started_at"]) <= 400
            and abs(rival["ended_at"] - other["ended_at"]) <= 400
        ]
        assert similar == [one]
        found[name in (one["session_id"], one["transaction_id"])] += 1
    assert found[True] > 10 and found[False] > 10
    only_listed = [one for one in dicts(clean, "truth_sessions") if one["source"] == "list"]
    assert {one["session_id"] for one in only_listed} == listed.keys()
    assert {one["outcome"] for one in only_listed} >= {"succeeded", "failed", "unknown"}


def test_sites_are_the_same_whatever_the_size_of_the_network(clean):
    smaller = part_of(stations=4)
    for table in (*FEEDS, "truth_attempts", "truth_visits", "truth_sessions"):
        column = list({**FEEDS, **TRUTH}[table])
        place = next(
            column.index(x) for x in ("charger_id", "station_id", "site_id") if x in column
        )
        names = {row[place] for row in smaller.rows[table]}
        assert smaller.rows[table] == [row for row in clean.rows[table] if row[place] in names]
    assert part_of(stations=4, seed=7).rows[MESSAGES] != smaller.rows[MESSAGES]


# --- the messages are those of the standards -------------------------------------------------

STATUSES_16 = {
    *("Available", "Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing"),
    *("Reserved", "Unavailable", "Faulted"),
}
STOPS_16 = {
    *("DeAuthorized", "EmergencyStop", "EVDisconnected", "HardReset", "Local", "Other"),
    *("PowerLoss", "Reboot", "Remote", "SoftReset", "UnlockCommand"),
}
STOPS_201 = {
    *("DeAuthorized", "EmergencyStop", "EnergyLimitReached", "EVDisconnected", "GroundFault"),
    *("ImmediateReset", "Local", "LocalOutOfCredit", "MasterPass", "Other", "OvercurrentFault"),
    *("PowerLoss", "PowerQuality", "Reboot", "Remote", "SOCLimitReached", "StoppedByEV"),
    *("TimeLimitReached", "Timeout"),
}
TRIGGERS = {
    *("Authorized", "CablePluggedIn", "ChargingRateChanged", "ChargingStateChanged"),
    *("Deauthorized", "EnergyLimitReached", "EVCommunicationLost", "EVConnectTimeout"),
    *("MeterValueClock", "MeterValuePeriodic", "TimeLimitReached", "Trigger", "UnlockCommand"),
    *("StopAuthorized", "EVDeparted", "EVDetected", "RemoteStop", "RemoteStart"),
    *("AbnormalCondition", "SignedDataReceived", "ResetCommand"),
}
ERRORS = {
    *("ConnectorLockFailure", "EVCommunicationError", "GroundFailure", "HighTemperature"),
    *("InternalError", "LocalListConflict", "NoError", "OtherError", "OverCurrentFailure"),
    *("OverVoltage", "PowerMeterFailure", "PowerSwitchFailure", "ReaderFailure"),
    *("ResetFailure", "UnderVoltage", "WeakSignal"),
}
TAG_STATUSES = {"Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx"}
BOOT_REASONS = {
    *("ApplicationReset", "FirmwareUpdate", "LocalReset", "PowerUp", "RemoteReset"),
    *("ScheduledReset", "Triggered", "Unknown", "Watchdog"),
}
INSTANT, TEXT, NUMBER, WHOLE, FLAG = "instant", str, (int, float), int, bool
ID_TOKEN = {"idToken": TEXT, "type": {"ISO14443"}}
ID_TAG_INFO = {"status": TAG_STATUSES}
MEASURANDS = {"Energy.Active.Import.Register", "Power.Active.Import", "SoC"}
CONTEXTS = {"Transaction.Begin", "Transaction.End", "Sample.Periodic"}


def samples(value, **unit):
    sample = {"value": value, "measurand?": MEASURANDS, "context?": CONTEXTS, **unit}
    return [{"timestamp": INSTANT, "sampledValue": [sample]}]


VALUES_16 = samples(TEXT, **{"unit?": {"Wh", "kWh", "W", "kW", "Percent"}})
VALUES_201 = samples(
    NUMBER, **{"unitOfMeasure?": {"unit?": {"Wh", "kWh", "W", "Percent"}, "multiplier?": WHOLE}}
)
# Fields by protocol, direction and action; an optional one has a question mark.
SHAPES = {
    ("ocpp1.6", "from_charger"): {
        "BootNotification": {
            "chargePointVendor": TEXT,
            "chargePointModel": TEXT,
            "firmwareVersion?": TEXT,
        },
        "Heartbeat": {},
        "FirmwareStatusNotification": {"status": {"Installed"}},
        "StatusNotification": {
            "connectorId": WHOLE,
            "errorCode": ERRORS,
            "status": STATUSES_16,
            "timestamp?": INSTANT,
        },
        "Authorize": {"idTag": TEXT},
        "StartTransaction": {
            "connectorId": WHOLE,
            "idTag": TEXT,
            "meterStart": WHOLE,
            "timestamp": INSTANT,
        },
        "MeterValues": {"connectorId": WHOLE, "transactionId?": WHOLE, "meterValue": VALUES_16},
        "StopTransaction": {
            "transactionId": WHOLE,
            "meterStop": WHOLE,
            "timestamp": INSTANT,
            "reason?": STOPS_16,
            "transactionData?": VALUES_16,
        },
        "RemoteStartTransaction": {"status": {"Accepted", "Rejected"}},
    },
    ("ocpp1.6", "to_charger"): {
        "BootNotification": {"status": {"Accepted"}, "currentTime": INSTANT, "interval": WHOLE},
        "Authorize": {"idTagInfo": ID_TAG_INFO},
        "StartTransaction": {"idTagInfo": ID_TAG_INFO, "transactionId": WHOLE},
        "RemoteStartTransaction": {"idTag": TEXT, "connectorId?": WHOLE},
    },
    ("ocpp2.0.1", "from_charger"): {
        "BootNotification": {
            "reason": BOOT_REASONS,
            "chargingStation": {"model": TEXT, "vendorName": TEXT},
        },
        "Heartbeat": {},
        "FirmwareStatusNotification": {"status": {"Installed"}},
        "StatusNotification": {
            "timestamp": INSTANT,
            "connectorStatus": {"Available", "Occupied", "Reserved", "Unavailable", "Faulted"},
            "evseId": WHOLE,
            "connectorId": WHOLE,
        },
        "Authorize": {"idToken": ID_TOKEN},
        "TransactionEvent": {
            "eventType": {"Started", "Updated", "Ended"},
            "timestamp": INSTANT,
            "triggerReason": TRIGGERS,
            "seqNo": WHOLE,
            "offline?": FLAG,
            "transactionInfo": {
                "transactionId": TEXT,
                "chargingState?": {"Charging", "EVConnected", "SuspendedEV", "SuspendedEVSE"},
                "stoppedReason?": STOPS_201,
                "remoteStartId?": WHOLE,
            },
            "evse?": {"id": WHOLE, "connectorId?": WHOLE},
            "idToken?": ID_TOKEN,
            "meterValue?": VALUES_201,
        },
        "RequestStartTransaction": {
            "status": {"Accepted", "Rejected"},
            "transactionId?": TEXT,
        },
    },
    ("ocpp2.0.1", "to_charger"): {
        "BootNotification": {"status": {"Accepted"}, "currentTime": INSTANT, "interval": WHOLE},
        "Authorize": {"idTokenInfo": {"status": TAG_STATUSES}},
        "TransactionEvent": {"idTokenInfo?": {"status": TAG_STATUSES}},
        "RequestStartTransaction": {
            "remoteStartId": WHOLE,
            "idToken": ID_TOKEN,
            "evseId?": WHOLE,
        },
    },
}


def fits(value, shape):
    if isinstance(shape, dict):
        names = {name.rstrip("?") for name in shape}
        return value.keys() <= names and all(
            fits(value[name.rstrip("?")], inner) if name.rstrip("?") in value else "?" in name
            for name, inner in shape.items()
        )
    if isinstance(shape, list):
        return bool(value) and all(fits(one, shape[0]) for one in value)
    if shape == INSTANT:
        return text_of(seconds(value)) == value
    if isinstance(shape, set):
        return value in shape
    return isinstance(value, shape) and (shape is FLAG or not isinstance(value, bool))


@pytest.mark.parametrize("protocol", ["ocpp1.6", "ocpp2.0.1"])
def test_messages_have_the_fields_of_the_standard(clean, protocol):
    stations = dicts(clean, "network__stations")
    names = {one["station_id"] for one in stations if one["protocol"] == protocol}
    seen = set()
    for name in names:
        actions = {}
        for _, direction, message_id, action, payload in messages_by_charger(clean)[name]:
            # An answer without action has that of its request.
            action = action or actions[message_id]
            actions[message_id] = action
            shape = SHAPES[protocol, direction][action]
            assert fits(json.loads(payload or "{}"), shape), (direction, action, payload)
            assert action == "BootNotification" or " " not in payload
            seen.add((direction, action))
    assert seen == {
        (direction, action)
        for (version, direction), shapes in SHAPES.items()
        if version == protocol
        for action in shapes
    }


def test_events_of_a_transaction_are_numbered_in_the_order_in_which_they_happen(clean):
    by_transaction = defaultdict(list)
    for charger_id, _, from_charger, _, action, payload in clean.rows[MESSAGES]:
        if action == "TransactionEvent" and from_charger:
            event = json.loads(payload)
            transaction = event["transactionInfo"]["transactionId"]
            by_transaction[charger_id, transaction].append(event)
    for events in by_transaction.values():
        events.sort(key=lambda event: event["seqNo"])
        assert [event["seqNo"] for event in events] == [*range(len(events))]
        assert sorted(event["timestamp"] for event in events) == [
            event["timestamp"] for event in events
        ]
        types = [event["eventType"] for event in events]
        assert types[0] == "Started"
        assert set(types[1:-1]) <= {"Updated"}
        assert types[-1] in ("Ended", "Updated")


def test_message_ids_are_those_of_one_request_and_its_answer(clean):
    for messages in messages_by_charger(clean).values():
        by_id = defaultdict(list)
        for at, direction, message_id, _, _ in messages:
            by_id[message_id].append((at, direction))
        for exchange in by_id.values():
            exchange.sort()
            assert len({direction for _, direction in exchange}) == len(exchange) <= 2
            if len(exchange) == 2:
                assert exchange[1][0] - exchange[0][0] == 1


def test_two_states_of_a_port_are_never_reported_in_the_same_second(rebuilt):
    for charger in rebuilt[0].values():
        for statuses in charger.statuses.values():
            times = [at for at, _ in statuses]
            assert len(times) == len(set(times))


def test_registers_are_sent_in_several_units_and_tokens_in_both_cases(clean):
    text = Counter()
    for *_, payload in clean.rows[MESSAGES]:
        text["kWh"] += '"kWh"' in payload
        text["multiplier"] += '"multiplier":3' in payload
        text["default"] += bool(re.search(r'\[{"value":"[0-9.]+"}', payload))
        text["transactionData"] += "transactionData" in payload
        tag = json.loads(payload or "{}").get("idTag", "")
        text["lower"] += tag != tag.upper()
        text["upper"] += tag != tag.lower()
    assert all(count > 100 for count in text.values()), text


# --- damage ----------------------------------------------------------------------------------


def detected(charger, messages):
    """Return what is found broken, by the rules that a warehouse has for it."""
    name = charger.id
    copies = Counter()
    for at, direction, message_id, action, payload in messages:
        has_stamp = stamp_in(json.loads(payload or "{}")) is not None
        copies[direction, message_id, action, payload, has_stamp or at] += 1
    yield from (("repeated_message", name, key[1]) for key, count in copies.items() if count > 1)
    for day in charger.offsets:
        yield "clock_off", name, text_of(day * 86400)[:10]
    for at, direction, message_id, _, payload in once(messages):
        message = json.loads(payload or "{}")
        stamped = stamp_in(message)
        is_stamped = direction == "from_charger" and stamped is not None
        if is_stamped and at - stamped - charger.offsets.get(at // 86400, 0) > 300:
            yield "late_message", name, message_id
        values = [
            sample["value"]
            for reading in message.get("meterValue", [])
            for sample in reading["sampledValue"]
        ]
        if not all(is_number(value) for value in values):
            yield "unreadable_register", name, message_id
    for one in charger.transactions.values():
        registers = [wh for _, wh in sorted(one.readings.items())]
        if registers != sorted(registers):
            yield "register_reset", name, one.id
        if one.ended is None and one.plugged_out is not None:
            yield "missing_stop", name, one.id
        if one.token is None:
            yield "unknown_driver", name, one.id


def is_number(value):
    try:
        return float(value) == float(value)
    except ValueError:
        return False


def test_what_is_recorded_as_damaged_is_what_can_be_found(damaged, rebuilt_damaged):
    messages = messages_by_charger(damaged)
    found = {
        damage
        for name, charger in rebuilt_damaged[0].items()
        for damage in detected(charger, messages[name])
    }
    recorded = damaged.rows["network__injected_damage"]
    assert found == set(recorded)
    assert len(recorded) == len(set(recorded))
    assert {kind for kind, _, _ in recorded} == set(KINDS)


def test_only_drivers_without_a_token_are_found_in_a_clean_network(clean, rebuilt, truth):
    messages = messages_by_charger(clean)
    found = {
        damage
        for name, charger in rebuilt[0].items()
        for damage in detected(charger, messages[name])
    }
    assert found == set(clean.rows["network__injected_damage"])
    assert found == {
        ("unknown_driver", one["charger_id"], one["transaction_id"])
        for one in truth.values()
        if one["transaction_id"] is not None and one["id_token"] is None
    }
    assert found


def test_damage_changes_nothing_that_is_not_recorded(truth, damaged, rebuilt_damaged):
    told = rebuilt_damaged[1]
    harmful = ("missing_stop", "unknown_driver")
    hurt = {
        (name, reference)
        for kind, name, reference in damaged.rows["network__injected_damage"]
        if kind in harmful
    }
    visits = {
        one["visit_id"]
        for attempts in (truth, told)
        for one in attempts.values()
        if (one["charger_id"], one["transaction_id"]) in hurt
    }
    wrong = differing(truth, told)
    assert wrong
    assert all({truth[name]["visit_id"], told[name]["visit_id"]} & visits for name in wrong), (
        "an attempt differs that no damage explains"
    )


def test_damage_leaves_truth_and_other_feeds_as_they_are(clean, damaged):
    for table in clean.rows:
        if table not in (MESSAGES, "network__injected_damage"):
            assert clean.rows[table] == damaged.rows[table]
    assert clean.heard == damaged.heard


def test_a_clock_that_is_off_is_so_for_all_stamps_of_a_day(clean, damaged):
    right = {row[:4]: row for row in clean.rows[MESSAGES]}
    off = {
        (name, reference)
        for kind, name, reference in damaged.rows["network__injected_damage"]
        if kind == "clock_off"
    }
    shifts = defaultdict(set)
    for row in damaged.rows[MESSAGES]:
        day = text_of(row[1])[:10]
        before = right.get(row[:4])
        if (row[0], day) in off and before is not None and row[2]:
            stamps = [stamp_in(json.loads(one[5] or "{}")) for one in (row, before)]
            if None not in stamps:
                shifts[row[0], day].add(stamps[0] - stamps[1])
    assert shifts.keys() == off
    assert all(len(several) == 1 and abs(max(several)) > 120 for several in shifts.values())


def test_payloads_are_changed_at_the_right_place():
    stop = (
        '{"transactionId":1,"meterStop":5200,"timestamp":"2024-10-01T10:00:00Z","transactionData":'
        '[{"timestamp":"2024-10-01T08:00:00Z","sampledValue":[{"value":"1.000","unit":"kWh"}]},'
        '{"timestamp":"2024-10-01T10:00:00Z","sampledValue":[{"value":"5.200","unit":"kWh"},'
        '{"value":"55","measurand":"SoC"}]}]}'
    )
    later = json.loads(lowered(stop, 4000, "2024-10-01T09:00:00Z"))
    assert later["meterStop"] == 1200
    values = [one["sampledValue"] for one in later["transactionData"]]
    assert [one[0]["value"] for one in values] == ["1.000", "1.200"]
    assert values[1][1]["value"] == "55"
    event = '{"idToken":{"idToken":"A"},"meterValue":[{"timestamp":"2024-12-31T23:59:59Z",'
    event += '"sampledValue":[{"value":7.25,"unitOfMeasure":{"unit":"Wh","multiplier":3}}]}]}'
    assert '"value":5.25' in lowered(event, 2000, "2024")
    assert '"value":"NaN"' in with_register(event, "NaN")
    assert '"timestamp":"2025-01-01T00:06:59Z"' in moved(event, 420)
    assert "idToken" not in without_token(event)


# --- random numbers --------------------------------------------------------------------------


@given(st.integers(0, 2**32), st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_draws_are_a_function_of_seed_channel_and_key(seed, key):
    draws, again = Draws(seed, "a", key), Draws(seed, "a", key)
    first = [draws.uniform() for _ in range(5)]
    assert first == [again.uniform() for _ in range(5)]
    assert first != [Draws(seed, "b", key).uniform() for _ in range(5)]
    assert all(3 <= draws.between(3, 5) <= 5 for _ in range(20))
    assert draws.pick("xyz") in "xyz"


def test_choices_are_made_by_their_weights():
    choices = Choices({"a": 1, None: 2, "b": 1})
    assert [choices.at(share) for share in (0.0, 0.24, 0.26, 0.74, 0.76, 1.0)] == [
        *("a", "a", None, None, "b", "b"),
    ]


# --- the seeds -------------------------------------------------------------------------------


def test_the_network_seeds_on_disk_are_what_the_script_writes(tmp_path):
    written = write_network_seeds(tmp_path, SEED)
    assert {path.name for path in written} == {seed_file(feed) for feed in FEEDS}
    for path, rows in written.items():
        content = path.read_bytes()
        assert content == (SEEDS_FOLDER / path.name).read_bytes()
        assert content.count(b"\n") == rows + 1
        assert b"\r" not in content


def test_the_network_seeds_stay_small(seeds):
    assert sum(len(frame) for frame in seeds.values()) <= 8000
    assert sum((SEEDS_FOLDER / seed_file(feed)).stat().st_size for feed in FEEDS) <= 1.6e6


def test_every_line_of_the_network_seeds_has_the_fields_of_its_header():
    for feed, columns in FEEDS.items():
        with (SEEDS_FOLDER / seed_file(feed)).open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file, strict=True))
        assert lines[0] == list(columns)
        assert {len(line) for line in lines} == {len(columns)}


def test_the_seeds_hold_the_network_but_for_a_few_rows(seeds, seed_part):
    for feed, frame in seeds.items():
        assert len(frame) == len(seed_part.rows[feed]) + len(BAD_ROWS[feed])
    times = seeds[MESSAGES]["received_at"]
    assert times[times.str.startswith("2024") & ~times.str.contains("T24")].is_monotonic_increasing


def test_bad_rows_of_the_seeds_are_those_that_were_put_there(seeds, seed_part):
    for feed, frame in seeds.items():
        good = Counter(text_rows(seed_part, feed))
        extra = Counter(map(tuple, frame.itertuples(index=False)))
        assert not good - extra
        bad = extra - good
        kinds = Counter(row.kind for row in BAD_ROWS[feed])
        assert bad.total() == kinds.total()
        assert sum(1 for row in bad if row in good) == kinds[DUPLICATE]


def text_rows(part, feed):
    frame = text_frame(feed, part.rows[feed]).fillna("")
    return map(tuple, frame.itertuples(index=False))


def test_outdated_rows_come_before_those_that_replace_them(seeds):
    frame = seeds["network__charging_sessions"]
    versions = frame[frame["session_id"] != ""].groupby("session_id")["energy_kwh"]
    changed = versions.nunique()
    assert (changed > 1).sum() == 1
    assert versions.first()[changed > 1].tolist() == ["0.500"]
    assert sum(row.kind == SUPERSEDED for row in BAD_ROWS["network__charging_sessions"]) == 1


def test_one_session_of_the_seeds_is_at_a_station_that_nobody_lists(seeds):
    stations = set(seeds["network__stations"]["station_id"])
    sessions = seeds["network__charging_sessions"]
    assert (~sessions["station_id"].isin(stations)).sum() == 1
    assert ODD_KINDS == (UNKNOWN_STATION,)


def test_the_seeds_have_the_cases_that_the_definitions_turn_on(seed_part):
    attempts = dicts(seed_part, "truth_attempts")
    assert 400 <= len(attempts) <= 500
    by_driver, by_port = defaultdict(list), defaultdict(list)
    for one in sorted(attempts, key=lambda one: one["started_at"]):
        if one["driver_token"]:
            by_driver[one["driver_token"], one["site_id"]].append(one)
        if one["evse_id"]:
            by_port[one["charger_id"], one["evse_id"]].append(one)
    gaps = Counter()
    for several in by_driver.values():
        for before, after in zip(several, several[1:], strict=False):
            if before["ended_at"]:
                gap = after["started_at"] - before["ended_at"]
                gaps[gap, before["visit_id"] == after["visit_id"]] += 1
    assert gaps[1799, True] and gaps[1800, False]
    assert not gaps[1799, False] and not gaps[1800, True]
    near = Counter()
    for several in by_port.values():
        for before, after in zip(several, several[1:], strict=False):
            if before["id_token"] is None and after["started_at"] - before["ended_at"] <= 120:
                gap = "2 minutes" if after["started_at"] - before["ended_at"] == 120 else "less"
                is_one = before["visit_id"] == after["visit_id"]
                near[gap, after["id_token"] is not None, is_one] += 1
    assert set(near) == {
        ("2 minutes", True, True),
        ("less", True, True),
        ("2 minutes", False, False),
        ("less", False, True),
    }
    assert {one["attempts"] for one in dicts(seed_part, "truth_visits")} >= {1, 2, 3}


def test_the_exclusions_of_the_seeds_are_of_every_kind(seed_part):
    outages = outage_rows(seed_part.ports, seed_part.heard)
    exclusions = [row for row in seed_part.rows["network__outage_exclusions"]]
    assert any(row[1] is None for row in exclusions)
    assert any(
        one[0] == other[0] and one[2] < other[2] < one[3] < other[3]
        for one in exclusions
        for other in exclusions
    )
    assert any(
        row[0] == outage[0] and row[2] < outage[2] and outage[3] < row[3]
        for row in exclusions
        for outage in outages
    )
    assert len({row[:4] for row in exclusions}) == len(exclusions)


def test_the_stations_of_the_seeds_differ(seed_part):
    known = [
        one
        for one in dicts(seed_part, "truth_attempts")
        if one["outcome"] in ("succeeded", "failed")
    ]
    count = Counter(one["charger_id"] for one in known)
    good = Counter(one["charger_id"] for one in known if one["outcome"] == "succeeded")
    rates = sorted((good[name] / count[name], name) for name in count)
    assert rates[0][1] == "ferry-5"
    assert rates[0][0] < 0.65 and rates[1][0] > 0.75
    listed = Counter(row[1] for row in seed_part.rows["network__charging_sessions"])
    assert listed["park-6"] > 40 and listed["park-7"] > 40
    assert 100 <= listed.total() <= 150


# --- files -----------------------------------------------------------------------------------


def test_files_are_the_same_for_any_number_of_processes(tmp_path, monkeypatch):
    monkeypatch.setattr("ev_charging.network_feed.large_feed._BLOCK_STATION_DAYS", 12)
    size = NetworkSize(stations=5, first_day=START, days=6)
    progress = []
    for name, processes in (("one", 1), ("two", 2)):
        monkeypatch.setattr("os.cpu_count", lambda processes=processes: processes)
        write_network(size, tmp_path / name, "csv", progress.append)
    assert sum(progress) == 10
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "two").iterdir())
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_with_an_output_the_command_writes_feeds_and_truth(tmp_path, file_format):
    folder = tmp_path / "new"
    arguments = ("--stations", 9, "--days", 5, "--start", START, "--format", file_format)
    result = run("--output", folder, *arguments)
    assert result.exit_code == 0, result.output
    assert {path.name for path in folder.iterdir()} == {
        *(f"{feed}.{file_format}" for feed in FEEDS),
        *(f"{table}.parquet" for table in TRUTH),
    }
    part = part_of(stations=9, days=5, damage=1.0)
    for feed, columns in FEEDS.items():
        if file_format == "parquet":
            source = duckdb.read_parquet(str(folder / f"{feed}.parquet"))
        else:
            source = duckdb.read_csv(str(folder / f"{feed}.csv"), all_varchar=True)
        assert source.columns == list(columns)
        assert {str(kind) for kind in source.types} == {"VARCHAR"}
        rows = sorted(tuple(value or "" for value in row) for row in source.fetchall())
        assert rows == sorted(text_rows(part, feed))
    outages = duckdb.read_parquet(str(folder / "truth_outages.parquet"))
    assert outages.shape[0] == len(outage_rows(part.ports, part.heard))
    attempts = duckdb.read_parquet(str(folder / "truth_attempts.parquet"))
    types = dict(zip(attempts.columns, map(str, attempts.types), strict=True))
    assert (types["started_at"], types["energy_kwh"]) == ("TIMESTAMP", "DECIMAL(18,6)")
    energy_wh = sum(one["energy_kwh"] or 0 for one in dicts(part, "truth_attempts"))
    assert float(attempts.sum("energy_kwh").fetchone()[0]) == pytest.approx(energy_wh / 1000)


def run(*arguments):
    return CliRunner().invoke(
        command.generate_network_feeds, [str(argument) for argument in arguments]
    )


def test_without_an_output_the_command_writes_the_six_seeds(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "SEEDS_FOLDER", tmp_path)
    result = run()
    assert result.exit_code == 0, result.output
    assert {path.name for path in tmp_path.iterdir()} == {seed_file(feed) for feed in FEEDS}
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (SEEDS_FOLDER / path.name).read_bytes()


def test_damage_can_be_left_out(tmp_path):
    result = run("--output", tmp_path, "--stations", 4, "--days", 5, "--no-damage", "--seed", 7)
    assert result.exit_code == 0, result.output
    lines = (tmp_path / "network__injected_damage.csv").read_text().splitlines()
    assert all(line.startswith("unknown_driver,") for line in lines[1:])
    assert run("--output", tmp_path, "--stations", 4, "--days", 5, "--seed", 7).exit_code == 0
    more = (tmp_path / "network__injected_damage.csv").read_text().splitlines()
    assert len(more) > len(lines) + 9


def test_the_number_of_messages_can_be_asked_for(tmp_path):
    result = run("--output", tmp_path, "--messages", 30_000, "--days", 20, "--format", "parquet")
    assert result.exit_code == 0, result.output
    messages = duckdb.read_parquet(str(tmp_path / f"{MESSAGES}.parquet")).shape[0]
    assert messages == pytest.approx(30_000, rel=0.3)
    assert stations_for(20_000_000, 90) == pytest.approx(1300, rel=0.1)
    assert stations_for(1, 90) == 1


def test_stations_that_are_only_listed_make_a_network_without_messages(monkeypatch, tmp_path):
    layout = "ev_charging.network_feed.layout._PATTERN"
    monkeypatch.setattr(layout, (("Europe/Oslo", (None, None)),))
    write_network(NetworkSize(stations=2, first_day=START, days=5), tmp_path, "csv")
    assert (tmp_path / f"{MESSAGES}.csv").read_text().count("\n") == 1
    assert (tmp_path / "network__charging_sessions.csv").read_text().count("\n") > 5


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (["--stations", "0"], 2),
        (["--stations", "many"], 2),
        (["--messages", "0"], 2),
        (["--messages", "100", "--stations", "3"], 2),
        (["--days", "0"], 2),
        (["--seed", "-1"], 2),
        (["--start", "21.10.2024"], 2),
        (["--format", "xlsx"], 2),
        (["--start", "1800-01-01"], 1),
        (["--start", "9500-01-01"], 1),
    ],
)
def test_wrong_arguments_of_the_command_are_refused(tmp_path, arguments, exit_code):
    result = run("--output", tmp_path, *arguments)
    assert result.exit_code == exit_code
    assert isinstance(result.exception, SystemExit)
    assert result.output.strip().splitlines()[-1].startswith("Error: ")
    assert not list(tmp_path.iterdir())


def test_sizes_that_cannot_be_are_refused(tmp_path):
    for size in (NetworkSize(stations=0), NetworkSize(days=0), NetworkSize(stations=10**7)):
        with pytest.raises(ValueError, match="network"):
            write_network(size, tmp_path, "csv")
    with pytest.raises(ValueError, match="format must be one of"):
        write_network(NetworkSize(), tmp_path, "xlsx")


def test_options_of_large_networks_need_an_output(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "SEEDS_FOLDER", tmp_path)
    result = run("--days", 5)
    assert result.exit_code == 2
    assert "Error: --days is for a large network and needs --output" in result.output
    assert not list(tmp_path.iterdir())


def test_an_output_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    result = run("--output", tmp_path / "file" / "x", "--stations", 2, "--days", 1)
    assert result.exit_code == 1
    assert result.output.strip().splitlines()[-1].startswith("Error: can't write into")
