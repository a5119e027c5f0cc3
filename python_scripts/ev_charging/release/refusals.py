"""Why a release is refused, each reason with the exit code of the command."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of an export; 0 is a release, also one that was there before, 2 a usage error."""

    UNKNOWN_PARTNER = 3
    BAD_PERIOD = 4
    NO_WAREHOUSE = 5
    BAD_PARTNER_LIST = 6
    STALE_PSEUDONYMS = 7
    OTHER_EPOCH = 8
    AUDIT_FAILED = 9
    RELEASED_BEFORE = 10
    OUTPUT_FAILED = 11
    OUTPUT_BUSY = 12


class Refusal(Exception):
    """Nothing is released; the message is one line for the user, without ids of the data."""

    def __init__(self, exit_code: ExitCode, message: str):
        """Refuse with an exit code and one line."""
        super().__init__(message)
        self.exit_code = exit_code


def failed_audit(name: str, what: str) -> Refusal:
    """Return the refusal of an extract or partner of which something is wrong."""
    return Refusal(ExitCode.AUDIT_FAILED, f"the audit of {name} failed: {what}")
