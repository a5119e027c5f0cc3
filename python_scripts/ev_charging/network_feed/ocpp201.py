"""A charger that speaks OCPP 2.0.1: which messages an attempt consists of."""

from ev_charging.network_feed.attempt import (
    AUTHORIZE_FIRST,
    BREAKS,
    CACHED,
    PLUG_IN_FIRST,
    Attempt,
    Plan,
)
from ev_charging.network_feed.charger import DELAYS_S
from ev_charging.network_feed.dialect import Dialect
from ev_charging.network_feed.instants import stamp
from ev_charging.network_feed.layout import OCPP_201
from ev_charging.network_feed.metering import Reading, kilo, meter
from ev_charging.network_feed.timeline import Timeline, attempt_of, timeline

_STATUS_INFO = '{{"idTokenInfo":{{"status":"{}"}}}}'
_UNANSWERED, _CARRIES_TOKEN = 0.1, 0.6
_STOP_TRIGGERS = {
    None: "StopAuthorized",
    "Local": "StopAuthorized",
    "Remote": "RemoteStop",
    "EVDisconnected": "EVCommunicationLost",
    "DeAuthorized": "Deauthorized",
    "EnergyLimitReached": "EnergyLimitReached",
    "TimeLimitReached": "TimeLimitReached",
    "Timeout": "EVConnectTimeout",
    "GroundFault": "AbnormalCondition",
    "EmergencyStop": "AbnormalCondition",
    "PowerLoss": "AbnormalCondition",
}


class Ocpp201(Dialect):
    """A charger that speaks OCPP 2.0.1."""

    occupied = "Occupied"

    def boot(self, at: int, interval_s: int, reason: str) -> None:
        """Say that the charger has started."""
        self.charger.request(
            at,
            "BootNotification",
            f'{{"reason":"{reason}","chargingStation":{{"model":"{self.model.model}",'
            f'"vendorName":"{self.model.vendor}"}}}}',
        )
        self.charger.answer(
            f'{{"currentTime":"{stamp(at + 1)}","interval":{interval_s},"status":"Accepted"}}'
        )

    def status(self, at: int, evse_id: int, status: str, error_code: str = "NoError") -> None:
        """Report the status of a port; OCPP 2.0.1 has no place for the error."""
        del error_code
        self.charger.request(
            at,
            "StatusNotification",
            f'{{"timestamp":"{stamp(at)}","connectorStatus":"{status}",'
            f'"evseId":{evse_id},"connectorId":1}}',
            stamp=at,
        )

    def authorize(self, at: int, token: str, token_status: str) -> str:
        """Ask for a token and return the message id."""
        message_id = self.charger.request(at, "Authorize", f"{{{_token(token)}}}")
        self.charger.answer(_STATUS_INFO.format(token_status))
        return message_id

    def remote_start(
        self, at: int, evse_id: int | None, token: str, status: str = "Accepted"
    ) -> str:
        """Ask the charger to start and return the message id."""
        return self._request_start(at, evse_id, token, f'{{"status":"{status}"}}')

    def transact(self, evse_id: int, register_wh: int, plan: Plan) -> Attempt:
        """Carry out a plan with a transaction and return what happened."""
        self.transactions += 1
        transaction = f"{self.number:04x}-{self.transactions:06x}"
        times = timeline(plan, self.draws, begins_at_plug_in=True)
        metering = meter(
            *(self.model, plan, register_wh),
            *(times.begin, times.power, times.end or plan.ends_before),
        )
        events = _Events(self, evse_id, transaction, plan.energy_wh is not None)
        if times.plugged_in is not None:
            self.status(times.plugged_in, evse_id, self.occupied)
        self._begin(events, evse_id, plan, times, register_wh)
        states = ((times.power, "Charging"), (times.full, "SuspendedEV"))
        between = [
            *((at, state, None) for at, state in states if at is not None),
            *((sample.at, "", sample) for sample in metering.samples),
        ]
        for at, state, sample in sorted(between, key=lambda event: event[0]):
            if sample is None:
                events.updated(at, "ChargingStateChanged", f'"chargingState":"{state}"')
            else:
                events.updated(at, "MeterValuePeriodic", sample=sample)
        if times.end is not None:
            events.ended(times.end, plan.stop_reason, metering.end_wh)
            if plan.kind == BREAKS:
                self.status(times.end + 1, evse_id, "Faulted")
            if times.plugged_out is not None:
                self.status(times.plugged_out, evse_id, "Available")
        return attempt_of(
            *(self.charger.charger_id, evse_id, transaction, OCPP_201),
            *(plan, times, metering),
        )

    def _begin(
        self, events: "_Events", evse_id: int, plan: Plan, times: Timeline, register_wh: int
    ) -> None:
        """Send everything up to the authorisation."""
        token = "" if plan.token is None else _token(plan.token)
        if plan.mode == CACHED:
            events.started(times.begin, "Authorized", register_wh, token)
            # A charger that trusts its list of tokens may have to do without an answer.
            if plan.token_status != "Accepted" or not self.draws.chance(_UNANSWERED):
                self.charger.answer(_STATUS_INFO.format(plan.token_status))
        elif plan.mode == PLUG_IN_FIRST:
            events.started(times.begin, "CablePluggedIn", register_wh)
            self.charger.answer("{}")
            if plan.token is not None:
                events.updated(times.begin + self.draws.between(2, 6), "Authorized", token=token)
                self.charger.answer(_STATUS_INFO.format(plan.token_status))
        elif times.granted > times.begin:
            events.started(times.begin, "CablePluggedIn", register_wh)
            self.charger.answer("{}")
            remote_start = self._grant(evse_id, plan, times.granted, events.transaction)
            trigger = "RemoteStart" if remote_start else "Authorized"
            events.updated(times.granted + 2, trigger, remote_start, token=token)
            self.charger.answer("{}")
        else:
            remote_start = self._grant(evse_id, plan, times.granted, None)
            trigger = "RemoteStart" if remote_start else "CablePluggedIn"
            carries_token = self.draws.chance(_CARRIES_TOKEN)
            events.started(
                times.begin, trigger, register_wh, token if carries_token else "", remote_start
            )
            self.charger.answer("{}")
            if not carries_token:
                events.updated(times.begin + 2, "Authorized", token=token)
                self.charger.answer("{}")

    def _grant(self, evse_id: int, plan: Plan, at: int, transaction: str | None) -> str:
        """Authorise a driver and return what the transaction says about a remote start."""
        if plan.mode == AUTHORIZE_FIRST:
            self.authorize(at, plan.token, "Accepted")
            return ""
        begun = "" if transaction is None else f',"transactionId":"{transaction}"'
        self._request_start(at, evse_id, plan.token, f'{{"status":"Accepted"{begun}}}')
        return f'"remoteStartId":{self.charger.requests}'

    def _request_start(self, at: int, evse_id: int | None, token: str, answer: str) -> str:
        port = "" if evse_id is None else f'"evseId":{evse_id},'
        number = self.charger.requests + 1
        message_id = self.charger.command(
            at,
            "RequestStartTransaction",
            f'{{{port}"remoteStartId":{number},{_token(token)}}}',
        )
        self.charger.answer(answer)
        return message_id


class _Events:
    """The TransactionEvents of one transaction, sent in the order in which they happen."""

    def __init__(self, messages: Ocpp201, evse_id: int, transaction: str, has_meter: bool) -> None:
        self.messages = messages
        self.evse_id = evse_id
        self.transaction = transaction
        self.has_meter = has_meter
        self.sent = 0

    def started(
        self, at: int, trigger: str, register_wh: int, token: str = "", remote_start: str = ""
    ) -> None:
        info = '"chargingState":"EVConnected"' + (f",{remote_start}" if remote_start else "")
        evse = f',"evse":{{"id":{self.evse_id},"connectorId":1}}'
        values = self._register(register_wh, '"context":"Transaction.Begin",')
        self._send("Started", at, trigger, info, token, evse + self._meter_value(at, values))

    def updated(
        self,
        at: int,
        trigger: str,
        info: str = "",
        sample: Reading | None = None,
        token: str = "",
    ) -> None:
        values = "" if sample is None else self._meter_value(at, self._sampled(sample))
        self._send("Updated", at, trigger, info, token, values)

    def ended(self, at: int, reason: str | None, register_wh: int) -> None:
        info = '"chargingState":"EVConnected"' if reason is None else f'"stoppedReason":"{reason}"'
        trigger = _STOP_TRIGGERS.get(reason, "ChargingStateChanged")
        values = self._register(register_wh, '"context":"Transaction.End",')
        self._send("Ended", at, trigger, info, "", self._meter_value(at, values))

    def _send(self, event: str, at: int, trigger: str, info: str, token: str, details: str) -> None:
        self.messages.charger.request(
            at,
            "TransactionEvent",
            f'{{"eventType":"{event}","timestamp":"{stamp(at)}","triggerReason":"{trigger}",'
            f'"seqNo":{self.sent},"transactionInfo":{{"transactionId":"{self.transaction}"'
            f"{',' if info else ''}{info}}}{',' if token else ''}{token}{details}}}",
            *(at, self.transaction, self.messages.draws.pick(DELAYS_S)),
        )
        self.sent += 1

    def _meter_value(self, at: int, values: str) -> str:
        if not self.has_meter:
            return ""
        return f',"meterValue":[{{"timestamp":"{stamp(at)}","sampledValue":[{values}]}}]'

    def _sampled(self, sample: Reading) -> str:
        values = self._register(sample.register_wh, "")
        if sample.power_w is not None:
            values += (
                f',{{"value":{sample.power_w},"measurand":"Power.Active.Import",'
                '"unitOfMeasure":{"unit":"W"}}'
            )
        if sample.soc_pct is not None:
            values += (
                f',{{"value":{sample.soc_pct},"measurand":"SoC",'
                '"unitOfMeasure":{"unit":"Percent"}}'
            )
        return values

    def _register(self, register_wh: int, context: str) -> str:
        measurand = f'{context}"measurand":"Energy.Active.Import.Register"'
        if self.messages.model.register == "Wh":
            return f'{{"value":{register_wh},{measurand}}}'
        unit = '"kWh"' if self.messages.model.register == "kWh" else '"Wh","multiplier":3'
        value = kilo(register_wh)
        return f'{{"value":{value},{measurand},"unitOfMeasure":{{"unit":{unit}}}}}'


def _token(token: str) -> str:
    return f'"idToken":{{"idToken":"{token}","type":"ISO14443"}}'
