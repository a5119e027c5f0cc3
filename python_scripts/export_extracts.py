"""Write what partners receive: extracts as CSV files in folders of their own."""

from pathlib import Path

import click

from ev_charging.release.export import Released, export_extracts
from ev_charging.release.limits import weak_limits
from ev_charging.release.provenance import EPHEMERAL
from ev_charging.release.refusals import Refusal
from ev_charging.warehouse import warehouse_option


@click.command(
    name="export_extracts",
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
)
@warehouse_option
@click.option(
    "--partner",
    "partners",
    multiple=True,
    help="Who receives it, as in partner_extracts; may be given several times. Without it, every"
    " partner.",
)
@click.option(
    "--period", help="Month as 2025-06; without it, the latest that an extract has rows of."
)
@click.option("--epoch", help="Epoch that the warehouse must be of.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("releases"),
    help="Folder of all releases; created if missing.",
)
def export_command(
    warehouse: Path,
    partners: tuple[str, ...],
    period: str | None,
    epoch: str | None,
    output: Path,
) -> None:
    """Write what partners receive of a month, and nothing more.

    A release is a folder <output>/<partner>/<period>/<epoch> with a CSV file per extract and
    manifest.json. It is staged, audited and renamed: it is there as a whole or not at all. If one
    of the releases is refused, none is written; the exit code tells why.
    """
    try:
        written = export_extracts(warehouse, output, partners, period, epoch)
    except Refusal as refusal:
        error = click.ClickException(str(refusal))
        error.exit_code = refusal.exit_code
        raise error from refusal
    for released in written:
        click.echo(_line(output, released))
    for remark in _remarks(written):
        click.echo(f"Note: {remark}", err=True)


def _line(output: Path, released: Released) -> str:
    release = released.release
    files = len(release.tables)
    state = ", released before and identical" if released.was_there else ""
    return f"{output / release.place}: {files} files, {release.rows:,} rows{state}"


def _remarks(written: list[Released]) -> list[str]:
    remarks = [remark for released in written for remark in _remarks_of(released)]
    if written:
        provenance = written[0].release.provenance
        if provenance.key_source == EPHEMERAL:
            remarks.append(
                "the key of the pseudonyms is ephemeral: the next build makes other ones"
                " (EV_PSEUDONYM_KEY names a lasting one)"
            )
        remarks += weak_limits(provenance.parameters)
    return remarks


def _remarks_of(released: Released) -> list[str]:
    release = released.release
    remarks = [
        f"{table.file_name} of {release.partner} has no row"
        for table in release.tables
        if not table.rows
    ]
    if not release.rows:
        remarks.append(
            f"{release.period} of {release.partner} has no row at all: a later release of this"
            " month with rows needs a new epoch"
        )
    if not released.was_there:
        remarks += [
            f"{release.period} was released to {release.partner} before, in epoch {epoch}: the two"
            " can be compared"
            for epoch in released.other_epochs
        ]
    return remarks


if __name__ == "__main__":
    export_command()
