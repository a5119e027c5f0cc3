"""Folders that appear as a whole: written beside their place, and renamed.

One export at a time works in an output folder: it holds a lock on the folder itself, which ends
with its process, however that ends. What a killed export has left is removed by the next one.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ev_charging.release.refusals import ExitCode, Refusal

STAGING = ".staging"
# Releases are personal data: they are for their owner alone, whatever the umask.
_FOLDER_MODE = 0o700
_FILE_MODE = 0o600
_SECONDS_BETWEEN = 0.1
_ATTEMPTS = 600


@contextmanager
def staging_folder(root: Path, attempts: int = _ATTEMPTS) -> Iterator[Path]:
    """Lock an output folder, which is created if missing, and yield an empty folder inside it.

    Args:
        root: the output folder.
        attempts: how often to ask for the lock, ten times a second.

    Raises:
        Refusal: another export held the lock all the time.
        OSError: the folder can't be written into.
    """
    _make_folders(root)
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(descriptor, root, attempts)
        staging = root / STAGING
        _remove(staging)
        _make_folder(staging)
        try:
            yield staging
        finally:
            # What can't be removed now is removed by the next export.
            with suppress(OSError):
                _remove(staging)
    finally:
        os.close(descriptor)


def write_folder(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files into a new folder, and wait until they are on the disk.

    Args:
        folder: where to; its parent must exist.
        contents: what each file holds, by its name.

    Raises:
        OSError: the folder is there, or can't be written.
    """
    _make_folder(folder)
    for name, content in contents.items():
        with open(folder / name, "xb", opener=_private) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    _sync(folder)


def move_into_place(folder: Path, root: Path, place: Path) -> None:
    """Rename a folder, so that it is at its place as a whole, and wait until that is on the disk.

    Args:
        folder: a folder in `root`.
        root: the output folder.
        place: where it goes to, seen from `root`; folders above are created if missing.

    Raises:
        OSError: something else is at the place, or it can't be written.
    """
    target = root / place
    _make_folders(target.parent)
    os.rename(folder, target)
    for parent in [target, *target.parents][1 : len(place.parts) + 1]:
        _sync(parent)


def _make_folders(folder: Path) -> None:
    """Make a folder and those above it that are missing."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        # Another export may make it just now.
        with suppress(FileExistsError):
            _make_folder(path)


def _make_folder(folder: Path) -> None:
    folder.mkdir(_FOLDER_MODE)
    folder.chmod(_FOLDER_MODE)


def _private(path: str, flags: int) -> int:
    descriptor = os.open(path, flags, _FILE_MODE)
    os.fchmod(descriptor, _FILE_MODE)
    return descriptor


def _lock(descriptor: int, root: Path, attempts: int) -> None:
    for _ in range(attempts):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_SECONDS_BETWEEN)
        else:
            return
    raise Refusal(ExitCode.OUTPUT_BUSY, f"another export is writing into {root}: try again later")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
