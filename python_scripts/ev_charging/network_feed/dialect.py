"""What both versions of the protocol have in common."""

from abc import ABC, abstractmethod

from ev_charging.network_feed.attempt import Attempt, Plan
from ev_charging.network_feed.charger import Charger
from ev_charging.network_feed.draws import Draws
from ev_charging.network_feed.layout import Station


class Dialect(ABC):
    """The messages of one charger in its version of the protocol.

    Attributes:
        occupied: what the status of a port becomes when a vehicle comes.
    """

    occupied: str

    def __init__(self, station: Station, charger: Charger, draws: Draws) -> None:
        """Prepare a charger that hasn't sent anything."""
        self.number = station.number
        self.model = station.model
        self.charger = charger
        self.draws = draws
        self.transactions = 0

    @abstractmethod
    def boot(self, at: int, interval_s: int, reason: str) -> None:
        """Say that the charger has started, and be told the interval of heartbeats."""

    @abstractmethod
    def status(self, at: int, evse_id: int, status: str, error_code: str = "NoError") -> None:
        """Report the status of a port."""

    @abstractmethod
    def authorize(self, at: int, token: str, token_status: str) -> str:
        """Ask for a token and return the message id."""

    @abstractmethod
    def remote_start(
        self, at: int, evse_id: int | None, token: str, status: str = "Accepted"
    ) -> str:
        """Ask the charger to start and return the message id."""

    @abstractmethod
    def transact(self, evse_id: int, register_wh: int, plan: Plan) -> Attempt:
        """Carry out a plan with a transaction and return what happened.

        Args:
            evse_id: number of the port.
            register_wh: its energy register at the begin.
            plan: what is going to happen.
        """

    def heartbeat(self, at: int) -> None:
        """Say that the charger is online."""
        self.charger.request(at, "Heartbeat", "" if self.charger.is_terse else "{}")

    def report_firmware(self, at: int) -> None:
        """Report that new firmware is in place."""
        self.charger.request(at, "FirmwareStatusNotification", '{"status":"Installed"}')

    def plug(self, evse_id: int, plugged_in: int, plugged_out: int | None) -> None:
        """Report that a vehicle came, and that it left, without a transaction."""
        self.status(plugged_in, evse_id, self.occupied)
        if plugged_out is not None:
            self.status(plugged_out, evse_id, "Available")
