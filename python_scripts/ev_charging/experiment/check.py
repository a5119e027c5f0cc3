"""One finding about the health of an experiment."""

WARNING = "warning"
# An alarm makes the results invalid.
ALARM = "alarm"
NOT_AVAILABLE = "not_available"

# The subject of a check of the experiment as a whole.
WHOLE = "experiment"


def check(
    name: str,
    subject: str,
    status: str,
    finding: str,
    value: float | None = None,
    threshold: float | None = None,
    p_value: float | None = None,
    treatment: str | None = None,
) -> dict:
    """Return a row of `frames.HEALTH` without its experiment."""
    return {
        "check_name": name,
        "subject": subject,
        "treatment_variant": treatment,
        "value": value,
        "threshold": threshold,
        "p_value": p_value,
        "status": status,
        "finding": finding,
    }
