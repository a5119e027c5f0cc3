"""What the commands that write files have in common."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
import duckdb
from click.core import ParameterSource


def given_options(context: click.Context) -> Iterator[click.Parameter]:
    """Yield the options that the user named, in their order."""
    for option in context.command.params:
        if context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE:
            yield option


def refuse_options(context: click.Context, known: Collection[str], reason: str) -> None:
    """Refuse options that would change nothing.

    Args:
        context: the command.
        known: names of the options that may be given.
        reason: why another one may not, without its name.

    Raises:
        click.UsageError: the first of the others that was given, and the reason.
    """
    for option in given_options(context):
        if option.name not in known:
            raise click.UsageError(f"{option.opts[0]} {reason}")


@contextmanager
def one_clear_line(target: Path) -> Iterator[None]:
    """Turn what can go wrong in writing into one line.

    Args:
        target: where the command writes.

    Raises:
        click.ClickException: of a ValueError its message, of an error of files or of DuckDB that
            the target can't be written into, and why.
    """
    try:
        yield
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    except (OSError, duckdb.Error) as error:
        reason = str(error).splitlines()[0]
        raise click.ClickException(f"can't write into {target}: {reason}") from error


def show(written: Mapping[Path, int]) -> None:
    """Say what was written: files and their rows."""
    for path, rows in written.items():
        click.echo(f"{path}: {rows:,} rows")
