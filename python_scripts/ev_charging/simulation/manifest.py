"""The manifest of a run: what was asked for, with what it was made, and what came out."""

import hashlib
import json
import platform
from dataclasses import asdict
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from ev_charging.simulation.run import Run

MANIFEST_FILE = "manifest.json"
_PACKAGE = "ev-charging-warehouse"


def manifest(run: Run, residual_kwh: float, files: dict[str, int]) -> dict[str, Any]:
    """Return the manifest; the same for the same run on the same versions.

    Args:
        run: the run.
        residual_kwh: largest difference between energy and state of charge of a vehicle.
        files: number of rows by name of the file.
    """
    config = _config(run)
    return {
        "run_id": run.run_id,
        "seed": run.config.seed,
        "config": config,
        "config_sha256": hashlib.sha256(_json(config).encode()).hexdigest(),
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "duckdb": duckdb.__version__,
            _PACKAGE: _package_version(),
        },
        "residual_kwh": residual_kwh,
        "files": [{"name": name, "rows": rows} for name, rows in files.items()],
    }


def write_manifest(path: Path, content: dict[str, Any]) -> None:
    """Write a manifest as JSON."""
    path.write_text(json.dumps(content, indent=2, default=_iso) + "\n", encoding="utf-8")


def _config(run: Run) -> dict[str, Any]:
    """Return all that the rows of a run depend on; of prices their hash."""
    return {
        **asdict(run.config),
        "counterfactual_run_id": run.counterfactual_run_id,
        "damage_shares": dict(run.damage_shares),
        "archetypes": [asdict(archetype) for archetype in run.archetypes],
        "prices_sha256": _frame_sha256(run.prices),
    }


def _frame_sha256(frame: pd.DataFrame) -> str:
    text = frame.to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%dT%H:%M:%SZ")
    return hashlib.sha256(text.encode()).hexdigest()


def _package_version() -> str:
    try:
        return version(_PACKAGE)
    except PackageNotFoundError:
        return "not installed"


def _json(content: Any) -> str:
    return json.dumps(content, sort_keys=True, default=_iso)


def _iso(value: date) -> str:
    return value.isoformat()
