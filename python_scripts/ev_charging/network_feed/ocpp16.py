"""A charger that speaks OCPP 1.6-J: which messages an attempt consists of."""

from ev_charging.network_feed.attempt import (
    AUTHORIZE_FIRST,
    BREAKS,
    REMOTE,
    Attempt,
    Plan,
)
from ev_charging.network_feed.charger import DELAYS_S
from ev_charging.network_feed.dialect import Dialect
from ev_charging.network_feed.instants import stamp
from ev_charging.network_feed.layout import OCPP_16
from ev_charging.network_feed.metering import Metering, Reading, kilo, meter
from ev_charging.network_feed.timeline import attempt_of, timeline

_TAG = '{{"idTagInfo":{{"status":"{}"}}}}'
_ALSO_AUTHORIZED = 0.3


class Ocpp16(Dialect):
    """A charger that speaks OCPP 1.6."""

    occupied = "Preparing"

    def boot(self, at: int, interval_s: int, reason: str) -> None:
        """Say that the charger has started; OCPP 1.6 has no place for the reason."""
        del reason
        self.charger.request(
            at,
            "BootNotification",
            f'{{"chargePointVendor":"{self.model.vendor}",'
            f'"chargePointModel":"{self.model.model}","firmwareVersion":"4.2.1"}}',
        )
        self.charger.answer(
            f'{{"status":"Accepted","currentTime":"{stamp(at + 1)}","interval":{interval_s}}}'
        )

    def status(self, at: int, evse_id: int, status: str, error_code: str = "NoError") -> None:
        """Report the status of a port, or of the whole charger for port 0."""
        if not self.model.sends_status:
            return
        is_stamped = self.model.stamps_status
        time = f',"timestamp":"{stamp(at)}"' if is_stamped else ""
        self.charger.request(
            at,
            "StatusNotification",
            f'{{"connectorId":{evse_id},"errorCode":"{error_code}","status":"{status}"{time}}}',
            stamp=at if is_stamped else None,
        )

    def authorize(self, at: int, token: str, token_status: str) -> str:
        """Ask for a token and return the message id."""
        message_id = self.charger.request(at, "Authorize", f'{{"idTag":"{self._tag(token)}"}}')
        self.charger.answer(_TAG.format(token_status))
        return message_id

    def remote_start(
        self, at: int, evse_id: int | None, token: str, status: str = "Accepted"
    ) -> str:
        """Ask the charger to start and return the message id."""
        port = "" if evse_id is None else f'"connectorId":{evse_id},'
        message_id = self.charger.command(
            at, "RemoteStartTransaction", f'{{{port}"idTag":"{token}"}}'
        )
        self.charger.answer(f'{{"status":"{status}"}}')
        return message_id

    def transact(self, evse_id: int, register_wh: int, plan: Plan) -> Attempt:
        """Carry out a plan with a transaction and return what happened."""
        draws, charger = self.draws, self.charger
        self.transactions += 1
        transaction = str(self.transactions)
        times = timeline(plan, draws)
        metering = meter(
            *(self.model, plan, register_wh),
            *(times.begin, times.power, times.end or plan.ends_before),
        )
        if times.plugged_in is not None:
            self.status(times.plugged_in, evse_id, self.occupied)
        elif plan.joins is not None:
            self.status(plan.joins + 2, evse_id, self.occupied)
        if plan.mode == AUTHORIZE_FIRST:
            self.authorize(times.granted, plan.token, "Accepted")
        elif plan.mode == REMOTE:
            self.remote_start(times.granted, evse_id, plan.token)
            if draws.chance(_ALSO_AUTHORIZED):
                self.authorize(times.granted + 1, plan.token, "Accepted")
        charger.request(
            times.begin,
            "StartTransaction",
            f'{{"connectorId":{evse_id},"idTag":"{self._tag(plan.token)}",'
            f'"meterStart":{metering.begin_wh},"timestamp":"{stamp(times.begin)}"}}',
            *(times.begin, transaction, draws.pick(DELAYS_S)),
        )
        charger.answer(
            f'{{"idTagInfo":{{"status":"{plan.token_status}"}},"transactionId":{transaction}}}'
        )
        if times.power is not None:
            self.status(times.power, evse_id, "Charging")
        for sample in metering.samples:
            self._meter_values(evse_id, transaction, sample)
        if times.full is not None:
            self.status(times.full, evse_id, "SuspendedEV")
        if times.end is not None:
            self._stop(plan, transaction, times.begin, times.end, metering)
            self._leave(evse_id, plan, times.end, times.plugged_out)
        return attempt_of(
            *(self.charger.charger_id, evse_id, transaction, OCPP_16),
            *(plan, times, metering, self.model.sends_status),
        )

    def _leave(self, evse_id: int, plan: Plan, end: int, plugged_out: int | None) -> None:
        if plan.kind == BREAKS:
            self.status(end + 1, evse_id, "Faulted", "GroundFailure")
        elif plan.stop_reason != "EVDisconnected" or plan.stays:
            self.status(end + 1, evse_id, "Finishing")
        if plugged_out is not None:
            self.status(plugged_out, evse_id, "Available")

    def _meter_values(self, evse_id: int, transaction: str, sample: Reading) -> None:
        values = [self._register(sample.register_wh, "")]
        if sample.power_w is not None:
            values.append(
                f'{{"value":"{kilo(sample.power_w)}","measurand":"Power.Active.Import","unit":"kW"}}'
            )
        if sample.soc_pct is not None:
            values.append(f'{{"value":"{sample.soc_pct}","measurand":"SoC","unit":"Percent"}}')
        self.charger.request(
            sample.at,
            "MeterValues",
            f'{{"connectorId":{evse_id},"transactionId":{transaction},"meterValue":'
            f'[{{"timestamp":"{stamp(sample.at)}","sampledValue":[{",".join(values)}]}}]}}',
            *(sample.at, transaction, self.draws.pick(DELAYS_S)),
        )

    def _stop(self, plan: Plan, transaction: str, begin: int, end: int, metering: Metering) -> None:
        payload = (
            f'{{"transactionId":{transaction},"meterStop":{metering.end_wh},'
            f'"timestamp":"{stamp(end)}"'
        )
        if plan.stop_reason is not None:
            payload += f',"reason":"{plan.stop_reason}"'
        if self.model.sends_transaction_data:
            first = self._register(metering.begin_wh, '"context":"Transaction.Begin",')
            last = self._register(metering.end_wh, '"context":"Transaction.End",')
            payload += (
                f',"transactionData":[{{"timestamp":"{stamp(begin)}","sampledValue":[{first}]}},'
                f'{{"timestamp":"{stamp(end)}","sampledValue":[{last}]}}]'
            )
        self.charger.request(
            end, "StopTransaction", payload + "}", end, transaction, self.draws.pick(DELAYS_S)
        )

    def _register(self, register_wh: int, context: str) -> str:
        in_kwh = self.model.register == "kWh"
        value = kilo(register_wh) if in_kwh else str(register_wh)
        if not self.model.names_measurand:
            return f'{{"value":"{value}"}}'
        unit = ',"unit":"kWh"' if in_kwh else ""
        return f'{{"value":"{value}",{context}"measurand":"Energy.Active.Import.Register"{unit}}}'

    def _tag(self, token: str) -> str:
        return token.lower() if self.model.lower_case else token
