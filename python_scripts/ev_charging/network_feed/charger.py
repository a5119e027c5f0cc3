"""The log of one charger as its back office keeps it."""

from dataclasses import dataclass

# Places in a row of the log.
RECEIVED, NUMBER, FROM_CHARGER, MESSAGE_ID, ACTION, PAYLOAD, STAMP, TRANSACTION = range(8)
ANSWER_S = 1
# Most messages arrive within the second.
DELAYS_S = (0, 0, 0, 0, 0, 0, 0, 1, 1, 2)

Row = tuple[int, int, bool, str, str, str, int | None, str | None]


@dataclass(slots=True)
class Charger:
    """Messages of a charger in the order in which they are made, which is not that of time.

    Attributes:
        charger_id: id of the station.
        rows: received at, number of the message, whether it is from the charger, message id,
            action, payload, time in the payload if it has one, transaction that it belongs to.
        heard: when each message from the charger was received.
        requests: number of requests in both directions.
        is_terse: whether the back office leaves out what it can: actions of answers, and payloads
            without content.
    """

    charger_id: str
    rows: list[Row]
    heard: list[int]
    requests: int = 0
    is_terse: bool = False

    def request(
        self,
        at: int,
        action: str,
        payload: str,
        stamp: int | None = None,
        transaction: str | None = None,
        delay: int = 0,
    ) -> str:
        """Log a request of the charger that is received `delay` seconds after `at`."""
        self.requests += 1
        message_id = str(self.requests)
        received = at + delay
        self.rows.append(
            (received, len(self.rows), True, message_id, action, payload, stamp, transaction)
        )
        self.heard.append(received)
        return message_id

    def command(self, at: int, action: str, payload: str) -> str:
        """Log a request of the back office."""
        self.requests += 1
        message_id = f"b{self.requests}"
        self.rows.append((at, len(self.rows), False, message_id, action, payload, None, None))
        return message_id

    def answer(self, payload: str) -> None:
        """Log the answer to the last request."""
        received, _, from_charger, message_id, action, _, _, transaction = self.rows[-1]
        received += ANSWER_S
        if self.is_terse:
            action = ""
        self.rows.append(
            (
                *(received, len(self.rows), not from_charger, message_id, action),
                *(payload, None, transaction),
            )
        )
        if not from_charger:
            self.heard.append(received)
