"""The look that all figures share, and how they become files."""

import io
import os
import textwrap
from collections.abc import Callable
from functools import wraps
from pathlib import Path

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

# Okabe and Ito's palette: the colours stay apart for every kind of colour vision.
LIGHT_BLUE = "#9ecae9"
BLUE = "#0072b2"
ORANGE = "#d55e00"
GREEN = "#009e73"
PURPLE = "#cc79a7"
INK = "#222222"
GREY = "#5a5a5a"
LIGHT_GREY = "#dddddd"

WIDTH_CM = 16.5
DOTS_PER_INCH = 200

_CM_PER_INCH = 2.54
_TITLE_CHARACTERS = 60
_NOTE_CHARACTERS = 94
_LEFT_EDGE = 0.012

_STYLE = {
    # The font comes with matplotlib, so the figures look alike on every machine.
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.title_fontsize": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": LIGHT_GREY,
    "grid.linewidth": 0.6,
    # Opaque, so that no grid line runs through the words.
    "legend.facecolor": "white",
    "legend.edgecolor": "none",
    "legend.framealpha": 0.9,
    "figure.dpi": DOTS_PER_INCH,
    "savefig.dpi": DOTS_PER_INCH,
}


def styled(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Decorate a function that draws a figure, so that it does so in the common style."""

    @wraps(draw)
    def draw_in_style(*args, **kwargs) -> Figure:
        with mpl.rc_context(_STYLE):
            return draw(*args, **kwargs)

    return draw_in_style


def new_figure(height_cm: float, title: str, note: str = "") -> Figure:
    """Return an empty figure of page width with its finding on top and a note at the foot.

    The figure belongs to no global state, so there is nothing to close.
    """
    figure = Figure(
        figsize=(WIDTH_CM / _CM_PER_INCH, height_cm / _CM_PER_INCH), layout="constrained"
    )
    FigureCanvasAgg(figure)
    figure.suptitle(
        _wrapped(title, _TITLE_CHARACTERS),
        x=_LEFT_EDGE,
        ha="left",
        fontsize=11,
        fontweight="bold",
    )
    if note:
        figure.supxlabel(
            _wrapped(note, _NOTE_CHARACTERS), x=_LEFT_EDGE, ha="left", fontsize=9, color=GREY
        )
    return figure


def percent_ticks(whole: float, sign: str = "") -> FuncFormatter:
    """Return a formatter of ticks as `28 %`, where `whole` is 100 %; as `+28 %` with sign '+'."""
    return FuncFormatter(lambda x, _: f"{100 * x / whole:{sign}g} %" if x else "0 %")


def set_heading_with_key(axes: Axes, heading: str, key: dict[str, Artist], columns: int) -> None:
    """Put a heading above the axes, and below it what each colour means.

    A figure that also has a note has no room for its legend at the foot: both would be laid out
    in the same place.
    """
    legend = axes.legend(
        key.values(),
        key.keys(),
        title=heading,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=columns,
        alignment="left",
        handlelength=1.6,
        borderpad=0,
        borderaxespad=0.4,
    )
    legend.get_title().set_color(GREY)


def labelled_artists(*panels: Axes) -> dict[str, Artist]:
    """Return what is drawn with a label, by its label, each label once."""
    found = {}
    for axes in panels:
        handles, labels = axes.get_legend_handles_labels()
        found.update(zip(labels, handles, strict=True))
    return found


def say_no_data(axes: Axes, explanation: str, state: str = "no data") -> None:
    """Fill axes that have nothing to show with words that say so."""
    axes.set_axis_off()
    axes.text(
        0.5,
        0.5,
        f"{state.capitalize()}\n{explanation}",
        transform=axes.transAxes,
        ha="center",
        va="center",
        color=GREY,
        linespacing=1.6,
    )


@styled
def no_data_figure(subject: str, explanation: str, state: str = "no data") -> Figure:
    """Return a figure that says that there is nothing to draw, and why."""
    figure = new_figure(8, f"{subject}: {state}")
    say_no_data(figure.subplots(), explanation, state)
    return figure


@styled
def png_bytes(figure: Figure) -> bytes:
    """Return the figure as a PNG file: the same bytes for the same data."""
    buffer = io.BytesIO()
    # Without the version of matplotlib, which is all that the metadata would say.
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _wrapped(text: str, characters: int) -> str:
    # A percent sign stays on the line of its number.
    return textwrap.fill(text.replace(" %", "\u00a0%"), characters).replace("\u00a0", " ")


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader finds the old or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def shortened(text: str, characters: int) -> str:
    """Return a text of at most so many characters, cut with an ellipsis."""
    return text if len(text) <= characters else text[: characters - 1].rstrip() + "\u2026"
