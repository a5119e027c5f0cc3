"""The definitions of the charging network in plain Python, message by message.

Slow and simple: what the generator calls the truth is compared with what its messages tell.
Instants are seconds since 1970, energies whole Wh and powers whole W.
"""

import json
import re
from bisect import bisect_right
from collections import defaultdict
from datetime import UTC, datetime
from statistics import median

OCCUPIED = {"Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing", "Occupied"}
FREE = {"Available", "Reserved"}
DOWN = {"Faulted", "Unavailable"}
VALID = {
    *("energylimitreached", "soclimitreached", "local", "remote", "stoppedbyev"),
    *("localoutofcredit", "timelimitreached", "evdisconnected"),
}
ACCEPTED = (None, "Accepted", "ConcurrentTx")
FOREVER = 10**12
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def seconds(text):
    return int(datetime.fromisoformat(text).timestamp())


def token_of(payload):
    token = payload.get("idTag") or payload.get("idToken", {}).get("idToken")
    return token.strip().upper() if token else None


def status_of(answer):
    info = (answer or {}).get("idTagInfo") or (answer or {}).get("idTokenInfo") or {}
    return info.get("status")


def stamp_in(payload):
    """Return the time that a message says of itself, None if it has none."""
    values = payload.get("meterValue") or [{}]
    text = payload.get("timestamp") or values[0].get("timestamp")
    return seconds(text) if text else None


def once(messages):
    """Return each message as it was received first."""
    first = {}
    for message in sorted(messages):
        at, direction, message_id, action, payload = message
        has_stamp = stamp_in(json.loads(payload or "{}")) is not None
        first.setdefault((direction, message_id, action, payload, has_stamp or at), message)
    return sorted(first.values())


def clock_offsets(messages):
    """Return the offset of the clock by UTC day, of days on which it is off."""
    delays = defaultdict(list)
    for at, direction, _, _, payload in messages:
        stamped = stamp_in(json.loads(payload or "{}"))
        if direction == "from_charger" and stamped is not None:
            delays[at // 86400].append(at - stamped)
    return {
        day: int(median(several))
        for day, several in delays.items()
        if len(several) >= 5
        and abs(median(several)) > 120
        and median(several) - min(several) <= 120
    }


def in_time(message, offsets):
    at, direction, message_id, action, payload = message
    offset = offsets.get(at // 86400, 0) if direction == "from_charger" else 0
    if offset:
        payload = STAMP.sub(lambda found: text_of(seconds(found.group()) + offset), payload)
    return at, direction, message_id, action, payload


def text_of(instant):
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Transaction:
    def __init__(self, transaction_id):
        self.id = transaction_id
        self.evse = self.token = self.started = self.ended = self.reason = self.power = None
        self.token_status, self.remote_id, self.starts_with_token = None, None, False
        self.readings, self.powers, self.socs = {}, [], {}
        self.authorized, self.remote = [], []
        self.plugged_in = self.plugged_out = None
        self.last_seen = 0

    def meter(self, values):
        for value in values:
            at = seconds(value["timestamp"])
            for sample in value["sampledValue"]:
                measurand = sample.get("measurand", "Energy.Active.Import.Register")
                unit = sample.get("unit") or sample.get("unitOfMeasure", {}).get("unit")
                power_of_ten = sample.get("unitOfMeasure", {}).get("multiplier", 0)
                scale = (1000 if unit in ("kWh", "kW") else 1) * 10**power_of_ten
                try:
                    number = float(sample["value"]) * scale
                except ValueError:
                    continue
                if number != number:
                    continue
                number = round(number)
                if measurand == "Energy.Active.Import.Register" and "phase" not in sample:
                    self.read(at, number)
                elif measurand == "Power.Active.Import":
                    self.powers.append(number)
                elif measurand == "SoC":
                    self.socs[at] = int(number)

    def read(self, at, wh):
        self.readings[at] = max(wh, self.readings.get(at, wh))

    def energy_wh(self):
        values = [wh for _, wh in sorted(self.readings.items())]
        if len(values) < 2:
            return None
        pairs = zip(values, values[1:], strict=False)
        return sum(new - old if new >= old else new for old, new in pairs)


class Charger:
    """Everything that the messages of one charger tell, clocks being right."""

    def __init__(self, charger_id, messages):
        self.id = charger_id
        messages = once(messages)
        self.offsets = clock_offsets(messages)
        messages = [in_time(message, self.offsets) for message in messages]
        self.transactions = {}
        self.statuses = defaultdict(list)
        self.authorizes, self.remote_starts, self.heard = [], [], []
        requests = sorted(messages)
        self.answers = {}
        for at, direction, message_id, _, payload in requests:
            self.answers.setdefault((message_id, direction), []).append((at, payload))
        for at, direction, message_id, action, payload in requests:
            if direction == "from_charger":
                self.heard.append(at)
            self.read(at, direction, message_id, action, json.loads(payload or "{}"))
        for statuses in self.statuses.values():
            statuses.sort()
        self.plug_ins = {evse: self.occupancy(evse) for evse in self.statuses if evse}
        self.connect_plug_ins()
        self.bind()

    def answer(self, at, direction, message_id):
        other = "to_charger" if direction == "from_charger" else "from_charger"
        later = [one for one in self.answers.get((message_id, other), []) if one[0] >= at]
        return json.loads(min(later)[1]) if later else None

    def transaction(self, transaction_id):
        return self.transactions.setdefault(transaction_id, Transaction(transaction_id))

    def read(self, at, direction, message_id, action, payload):
        answer = self.answer(at, direction, message_id)
        if action == "StatusNotification" and ("status" in payload or "connectorStatus" in payload):
            evse = payload.get("evseId", payload.get("connectorId"))
            stamped = payload.get("timestamp")
            status = payload.get("status") or payload.get("connectorStatus")
            self.statuses[evse].append((seconds(stamped) if stamped else at, status))
        elif action == "Authorize" and direction == "from_charger":
            self.authorizes.append((at, token_of(payload), message_id, status_of(answer)))
        elif action in ("RemoteStartTransaction", "RequestStartTransaction"):
            if direction == "to_charger":
                number, bound = payload.get("remoteStartId"), answer.get("transactionId")
                self.remote_starts.append((at, token_of(payload), message_id, number, bound))
        elif action == "StartTransaction" and direction == "from_charger":
            one = self.transaction(str(answer["transactionId"]))
            one.evse, one.token = payload["connectorId"], token_of(payload)
            one.started, one.token_status = seconds(payload["timestamp"]), status_of(answer)
            one.read(one.started, payload["meterStart"])
            one.protocol = "ocpp1.6"
            one.last_seen = max(one.last_seen, one.started)
        elif action == "MeterValues" and "transactionId" in payload:
            one = self.transaction(str(payload["transactionId"]))
            one.meter(payload["meterValue"])
            one.last_seen = max([one.last_seen, *one.readings])
        elif action == "StopTransaction" and direction == "from_charger":
            one = self.transaction(str(payload["transactionId"]))
            one.ended, one.reason = seconds(payload["timestamp"]), payload.get("reason", "Local")
            one.read(one.ended, payload["meterStop"])
            one.meter(payload.get("transactionData", []))
        elif action == "TransactionEvent" and direction == "from_charger":
            self.read_event(payload, answer)

    def read_event(self, payload, answer):
        info, at = payload["transactionInfo"], seconds(payload["timestamp"])
        one = self.transaction(info["transactionId"])
        one.protocol = "ocpp2.0.1"
        one.last_seen = max(one.last_seen, at)
        one.token = token_of(payload) or one.token
        one.token_status = status_of(answer) or one.token_status
        one.remote_id = info.get("remoteStartId", one.remote_id)
        one.evse = payload.get("evse", {}).get("id", one.evse)
        one.meter(payload.get("meterValue", []))
        if payload["eventType"] == "Started":
            one.started = at
            says = answer is None or bool(answer)
            one.starts_with_token = token_of(payload) is not None and says
        if payload["eventType"] == "Ended":
            one.ended, one.reason = at, info.get("stoppedReason", "Local")
        if info.get("chargingState") == "Charging":
            one.power = min(at, one.power or at)

    def occupancy(self, evse):
        found, since = [], None
        for at, status in self.statuses[evse]:
            if status in OCCUPIED and since is None:
                since = at
            elif status in FREE and since is not None:
                found.append((since, at))
                since = None
        return found + ([(since, None)] if since is not None else [])

    def connect_plug_ins(self):
        self.used = defaultdict(list)
        by_port = defaultdict(list)
        for one in self.transactions.values():
            by_port[one.evse].append(one)
        for evse, several in by_port.items():
            several.sort(key=lambda one: one.started)
            starts = [one.started for one in several]
            for one in several:
                later = bisect_right(starts, one.started)
                limit = one.ended or (starts[later] if later < len(starts) else FOREVER)
                if one.protocol == "ocpp1.6":
                    charging = (
                        at
                        for at, status in self.statuses.get(evse, [])
                        if status == "Charging" and one.started <= at < limit
                    )
                    one.power = min(charging, default=None)
                if evse not in self.plug_ins:
                    one.plugged_in, one.plugged_out = one.started, one.ended
                    continue
                last = one.ended or one.last_seen
                for span in self.plug_ins[evse]:
                    if (span[1] or FOREVER) > one.started and span[0] <= last:
                        self.used[(evse, span)].append(one)
                        break
        for (_, span), several in self.used.items():
            for before, one in zip([None, *several], several, strict=False):
                one.plugged_in = span[0] if before is None else before.ended
                one.plugged_out = span[1] if one is several[-1] else one.ended

    def bind(self):
        self.unbound = []
        by_token, by_name = defaultdict(list), {}
        for one in self.transactions.values():
            by_token[one.token].append(one)
            by_name[one.id] = one
            by_name[one.remote_id] = one
        for at, token, message_id, status in self.authorizes:
            mine = by_token[token]
            forward = [one for one in mine if at + 1 <= one.started <= at + 300]
            backward = [
                one
                for one in mine
                if one.started <= at - 1 and at <= max(one.started + 300, one.ended or 0)
            ]
            if forward:
                min(forward, key=lambda one: one.started).authorized.append(at)
            elif backward:
                max(backward, key=lambda one: one.started).authorized.append(at)
            else:
                self.unbound.append((at, "authorize", message_id, token, status))
        for at, token, message_id, number, bound in self.remote_starts:
            named = by_name.get(bound if bound is not None else number) if number else None
            nearest = [one for one in by_token[token] if at <= one.started <= at + 300]
            found = [named] if named else sorted(nearest, key=lambda one: one.started)
            if found:
                found[0].remote.append(at)
            else:
                self.unbound.append((at, "remote_start", message_id, token, None))

    def sessions(self):
        """Return dicts with columns of the truth by transaction."""
        return {
            one.id: {
                "evse_id": one.evse,
                "protocol": one.protocol,
                "id_token": one.token,
                "plugged_in_at": one.plugged_in,
                "plugged_out_at": one.plugged_out,
                "started_at": one.started,
                "ended_at": one.ended,
                "power_started_at": one.power,
                "stop_reason": one.reason,
                "energy_kwh": one.energy_wh(),
                "max_power_kw": max(one.powers, default=None),
                "soc_start_pct": one.socs[min(one.socs)] if one.socs else None,
                "soc_end_pct": one.socs[max(one.socs)] if one.socs else None,
            }
            for one in self.transactions.values()
        }

    def attempts(self):
        """Return dicts with the columns of the truth that don't concern visits."""
        return [*(self.attempt(one) for one in self.transactions.values()), *self.lone_attempts()]

    def attempt(self, one):
        is_16 = one.protocol == "ocpp1.6"
        modes = [
            (one.starts_with_token, "cached_authorization"),
            (bool(one.remote), "remote_start"),
            (bool(one.authorized), "authorize_first"),
            (True, "cached_authorization" if is_16 else "plug_in_first"),
        ]
        energy = one.energy_wh()
        outcome, reason = self.outcome(one, energy)
        starts = [one.plugged_in, one.started, *one.authorized, *one.remote]
        is_blind = is_16 and one.evse not in self.plug_ins
        return {
            "attempt_id": f"transaction/{self.id}/{one.id}",
            "charger_id": self.id,
            "evse_id": one.evse,
            "transaction_id": one.id,
            "id_token": one.token,
            "attempt_mode": next(mode for applies, mode in modes if applies),
            "started_at": min(at for at in starts if at is not None),
            "power_started_at": one.power,
            "ended_at": one.plugged_out or one.ended,
            "stop_reason": one.reason,
            "energy_kwh": energy,
            "has_power_delivery": (energy or 0) > 0 if is_blind else one.power is not None,
            "has_valid_stop": (one.reason or "").lower() in VALID,
            "outcome": outcome,
            "failure_reason": reason,
        }

    @staticmethod
    def outcome(one, energy):
        if one.ended is None:
            return ("open" if one.plugged_out is None else "unknown"), None
        is_valid = one.reason.lower() in VALID
        if is_valid and energy != 0 and not (energy is None and one.power is None):
            return "succeeded", None
        if one.token_status not in ACCEPTED:
            return "failed", "authorization_rejected"
        if one.power is None and not energy:
            return "failed", "no_power"
        return "failed", "no_energy" if energy == 0 else f"stopped: {one.reason}"

    def lone_attempts(self):
        empty = {
            (evse, span): []
            for evse, spans in self.plug_ins.items()
            for span in spans
            if (evse, span) not in self.used
        }
        found = []
        for event in sorted(self.unbound):
            at = event[0]
            during = [key for key in empty if key[1][0] <= at < (key[1][1] or FOREVER)]
            after = [key for key in empty if at < key[1][0] <= at + 300]
            if during:
                key = max(during, key=lambda one: one[1][0])
            else:
                key = min(after, key=lambda one: one[1][0], default=None)
            if key:
                empty[key].append(event)
            found.append(self.lone(key, event))
        found += [self.lone(key, None) for key, events in empty.items() if not events]
        return found

    def lone(self, key, event):
        evse, (plugged_in, plugged_out) = key or (None, (None, None))
        at, kind, message_id, token, status = event or (None, "plug_in", None, None, None)
        if event:
            attempt_id = f"{kind}/{self.id}/{message_id}"
        else:
            attempt_id = f"plug_in/{self.id}/{evse}/{text_of(plugged_in)}"
        is_open = key is not None and plugged_out is None
        reason = "not_started" if status in ACCEPTED else "authorization_rejected"
        modes = {"authorize": "authorize_first", "remote_start": "remote_start"}
        return {
            "attempt_id": attempt_id,
            "charger_id": self.id,
            "evse_id": evse,
            "transaction_id": None,
            "id_token": token,
            "attempt_mode": modes.get(kind, "plug_in_first"),
            "started_at": min(moment for moment in (at, plugged_in) if moment is not None),
            "power_started_at": None,
            "ended_at": plugged_out if key else at,
            "stop_reason": None,
            "energy_kwh": None,
            "has_power_delivery": False,
            "has_valid_stop": False,
            "outcome": "open" if is_open else "failed",
            "failure_reason": None if is_open else reason,
        }


def visits_of(attempts, site_of, end):
    """Return visit id, number, whether it is the last, and driver by attempt id.

    `end` stands for the end of what hasn't ended.
    """
    by_port = defaultdict(list)
    drivers = {}
    for one in attempts:
        drivers[one["attempt_id"]] = one["id_token"]
        if one["evse_id"] is not None:
            by_port[(one["charger_id"], one["evse_id"])].append(one)
    for several in by_port.values():
        several.sort(key=order)
        for before, after in reversed(list(zip(several, several[1:], strict=False))):
            gap = after["started_at"] - (before["ended_at"] or end)
            token = drivers[after["attempt_id"]]
            is_known = after["id_token"] is not None
            if before["id_token"] is None and token and (gap <= 120 if is_known else gap < 120):
                drivers[before["attempt_id"]] = token
    groups = defaultdict(list)
    for one in attempts:
        token = drivers[one["attempt_id"]]
        port = (one["charger_id"], one["evse_id"])
        groups[(token, site_of[one["charger_id"]]) if token else port].append(one)
    found = {}
    for several in groups.values():
        limit = 1800 if drivers[several[0]["attempt_id"]] else 120
        visit, latest = [], None
        for one in [*sorted(several, key=order), None]:
            if visit and (one is None or one["started_at"] - latest >= limit):
                for number, member in enumerate(visit, start=1):
                    found[member["attempt_id"]] = (
                        *(visit[0]["attempt_id"], number, number == len(visit)),
                        drivers[member["attempt_id"]],
                    )
                visit, latest = [], None
            if one is not None:
                visit.append(one)
                ended = max(one["ended_at"] or end, one["started_at"])
                latest = max(latest or 0, ended)
    return found


def order(one):
    return (one["started_at"], one["transaction_id"] is not None, one["attempt_id"])


def down_time(charger, evse, window, heartbeat_s, observed):
    """Return the outages of a port as (begin, end, causes)."""
    spans = []
    heard = [observed[0], *charger.heard, observed[1]]
    for before, after in zip(heard, heard[1:], strict=False):
        if after - before > 3 * heartbeat_s:
            spans.append((before, after, "offline"))
    for number in (evse, 0):
        statuses = charger.statuses.get(number, [])
        following = [at for at, _ in statuses[1:]] + [observed[1]]
        for (at, status), until in zip(statuses, following, strict=False):
            if status in DOWN:
                spans.append((at, until, status.lower()))
    runs = []
    for begin, end, cause in sorted(
        (max(begin, window[0]), min(end, window[1]), cause) for begin, end, cause in spans
    ):
        if begin >= end:
            continue
        if runs and begin <= runs[-1][1]:
            runs[-1] = (runs[-1][0], max(runs[-1][1], end), runs[-1][2] | {cause})
        else:
            runs.append((begin, end, {cause}))
    return [(begin, end, "+".join(sorted(causes))) for begin, end, causes in runs]
