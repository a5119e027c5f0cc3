"""The manifest of a release: what it holds, and under which limits it was made."""

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ev_charging.release.extract_table import ExtractTable
from ev_charging.release.provenance import Provenance

MANIFEST_FILE = "manifest.json"
PROJECT_VERSION = "project_version"
_PACKAGE = "ev-charging-warehouse"


def manifest_bytes(
    partner: str,
    period: str,
    provenance: Provenance,
    tables: Mapping[str, tuple[ExtractTable, bytes]],
) -> bytes:
    """Return the manifest as JSON: the same bytes for the same release.

    Args:
        partner: who receives it.
        period: its month.
        provenance: epoch, key and limits.
        tables: rows and content of each file, by its name.
    """
    content: dict[str, Any] = {
        "partner": partner,
        "period": period,
        "epoch": provenance.epoch,
        PROJECT_VERSION: _project_version(),
        "key_source": provenance.key_source,
        "parameters": provenance.parameters,
        "files": [
            {
                "name": name,
                "columns": list(table.columns),
                "rows": len(table.rows),
                "protection": _protection(table),
                "sha256": sha256(csv),
            }
            for name, (table, csv) in tables.items()
        ],
    }
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def sha256(content: bytes) -> str:
    """Return the hash that a manifest gives of a file."""
    return hashlib.sha256(content).hexdigest()


def _protection(table: ExtractTable) -> str:
    return "pseudonymised" if table.delivery.has_pseudonyms else "anonymous"


def _project_version() -> str:
    try:
        return version(_PACKAGE)
    except PackageNotFoundError:
        return "not installed"
