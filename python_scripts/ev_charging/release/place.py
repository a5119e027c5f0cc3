"""Looks at the place of a release: what is on the way to it, and what stands there already."""

import json
from collections.abc import Mapping
from pathlib import Path

from ev_charging.release.manifest import MANIFEST_FILE, PROJECT_VERSION
from ev_charging.release.refusals import ExitCode, Refusal


def check_way(root: Path, place: Path) -> None:
    """Refuse what stands in the way of a release, or would put it somewhere else.

    Args:
        root: the output folder, which may be a link itself.
        place: the folder of the release, seen from `root`.

    Raises:
        Refusal: a folder below `root` is a link, or one above the release is no folder.
    """
    parts = place.parts
    way = [root.joinpath(*parts[: depth + 1]) for depth in range(len(parts))]
    for folder in way:
        if folder.is_symlink():
            raise Refusal(
                ExitCode.OUTPUT_FAILED, f"{folder} is a link, and a release must be a folder"
            )
    for folder in way[:-1]:
        if folder.exists() and not folder.is_dir():
            raise Refusal(ExitCode.OUTPUT_FAILED, f"{folder} is in the way: it is no folder")


def other_epochs(root: Path, place: Path) -> list[str]:
    """Return the other epochs in which the partner of a release was sent its month."""
    others = (root / place).parent.glob(f"*/{MANIFEST_FILE}")
    return sorted(path.parent.name for path in others if path.parent.name != place.name)


def was_released(folder: Path, contents: Mapping[str, bytes]) -> bool:
    """Return whether the same release is there already.

    That another version of the project wrote it makes no difference.

    Args:
        folder: where the release goes to.
        contents: what each of its files holds, by its name.

    Raises:
        Refusal: something else is there.
        OSError: it can't be read.
    """
    if not folder.exists():
        return False
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    for name in sorted(there | contents.keys()):
        if not (
            name in there
            and name in contents
            and _said((folder / name).read_bytes(), name) == _said(contents[name], name)
        ):
            raise Refusal(
                ExitCode.RELEASED_BEFORE,
                f"{folder} was released before with other content, as {name} shows: a change, also"
                " that of an ephemeral key, needs a new epoch (var extract_epoch)",
            )
    return True


def _said(content: bytes, name: str) -> object:
    if name != MANIFEST_FILE:
        return content
    try:
        manifest = json.loads(content)
    except ValueError:
        return content
    if isinstance(manifest, dict):
        manifest.pop(PROJECT_VERSION, None)
    return manifest
