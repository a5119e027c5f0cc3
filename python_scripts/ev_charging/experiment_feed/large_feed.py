"""An experiment of any size as files, with the truth beside them."""

import json
from pathlib import Path

from ev_charging.experiment_feed.delivery import SESSION_DECIMALS, USER_DECIMALS
from ev_charging.experiment_feed.experiment import Experiment
from ev_charging.feed_files import write_feed
from ev_charging.market.prices import DECIMALS

TRUTH_FILE = "truth.json"


def write_experiment(experiment: Experiment, folder: Path, file_format: str) -> dict[Path, int]:
    """Write users, sessions, prices and `truth.json` into `folder`.

    All columns are text, as a feed delivers them, without bad rows.

    Returns:
        The number of rows of each feed's file.

    Raises:
        ValueError: if the format is neither csv nor parquet.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for name, frame, decimals in (
        ("experiment__users", experiment.users, USER_DECIMALS),
        ("experiment__sessions", experiment.sessions, SESSION_DECIMALS),
        ("market__prices", experiment.prices, DECIMALS),
    ):
        written[write_feed(frame, decimals, folder, name, file_format)] = len(frame)
    text = json.dumps(experiment.truth, indent=2, allow_nan=False)
    (folder / TRUTH_FILE).write_text(text + "\n", encoding="utf-8")
    return written
