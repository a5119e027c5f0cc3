"""Audits a staged release: the bytes that would be sent, not the tables they come from."""

import json
from pathlib import Path

from ev_charging.release.file_audit import audited_rows
from ev_charging.release.known import Known
from ev_charging.release.manifest import MANIFEST_FILE, sha256
from ev_charging.release.pseudonym_audit import audit_pseudonyms
from ev_charging.release.refusals import failed_audit
from ev_charging.release.release import Release


def audit_release(folder: Path, release: Release, known: Known) -> None:
    """Refuse a staged release that gives somebody away, or isn't what its manifest says.

    Args:
        folder: where it is staged.
        release: what it is meant to hold.
        known: what the audit knows of the warehouse.

    Raises:
        Refusal: a check failed.
        OSError: a file can't be read.
    """
    staged = {path.name: path.read_bytes() for path in folder.iterdir()}
    manifest = json.loads(staged.pop(MANIFEST_FILE))
    hashes = {file["name"]: file["sha256"] for file in manifest["files"]}
    if hashes != {name: sha256(content) for name, content in staged.items()}:
        raise failed_audit(release.partner, "its files aren't those of the manifest")
    files = [
        (
            table.delivery,
            audited_rows(
                staged[table.file_name],
                table.delivery,
                release.period,
                manifest["parameters"],
                known,
            ),
        )
        for table in release.tables
    ]
    audit_pseudonyms(files, release.partner, known)
