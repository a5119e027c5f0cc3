"""Ends exports in the middle: at each call of the operating system that writes.

As a script, `python killed_exports.py <warehouse> <folder> <options>` runs exports into <folder>/1,
<folder>/2 and so on, of which the first is killed at its first call, the second at its second.
Each is a child of a process that has read the modules already, as that takes longest.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import export_extracts

CALLS = ("mkdir", "open", "fsync", "rename")


@contextmanager
def at_call(number: int, action: Callable[[], None]) -> Iterator[list[str]]:
    """Do something before the call of this number, counted from 1; yield the calls so far."""
    calls = []

    def counted(name: str, original: Callable) -> Callable:
        def call(*arguments, **options):
            calls.append(name)
            if len(calls) == number:
                action()
            return original(*arguments, **options)

        return call

    with pytest.MonkeyPatch.context() as patched:
        for name in CALLS:
            patched.setattr(os, name, counted(name, getattr(os, name)))
        yield calls


def was_killed(warehouse: str, output: Path, options: list[str], number: int) -> bool:
    """Run an export that is killed at a call; return whether it came so far."""
    child = os.fork()
    if child == 0:
        words = ["--warehouse", warehouse, "--output", str(output), *options]
        with at_call(number, lambda: os.kill(os.getpid(), signal.SIGKILL)):
            export_extracts.export_command(words)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


if __name__ == "__main__":
    source, folder, *options = sys.argv[1:]
    number = 1
    while was_killed(source, Path(folder, str(number)), options, number):
        number += 1
