"""The figures say what their data says, on any warehouse."""

import io
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from matplotlib.dates import date2num
from matplotlib.figure import Figure
from PIL import Image

from draw_plots import draw_plots
from ev_charging.load_profiles import DEFAULT_LOAD_PROFILE, LOAD_PROFILES
from ev_charging.plots.daily_load import daily_load_figure, read_daily_load
from ev_charging.plots.load_heat_map import load_heat_map_figure, read_load_by_hour
from ev_charging.plots.session_distributions import read_sessions, session_distributions_figure
from ev_charging.plots.style import png_bytes, write_atomically

PROFILE = "synthetic_7_2"
NAMES = ["daily_load.png", "load_heat_map.png", "session_distributions.png"]
PAGE_WIDTH_CM = (16, 17)
SMALLEST_FONT = 9

EMPTY_MARTS = """
    create schema load;
    create schema core;
    create table load.daily_load (
        load_profile varchar, date_key date, energy_kwh decimal(18, 6),
        mean_energy_7_days_kwh double, is_peak_day boolean
    );
    create table load.load_profile_by_hour (
        load_profile varchar, iso_weekday integer, hour_of_day integer, mean_load_kwh double
    );
    create table core.fct_charging_sessions (
        source_system varchar, session_id varchar, energy_kwh decimal(18, 6),
        connected_minutes decimal(18, 6), outcome varchar, is_over_long boolean
    );
"""


def daily_frame(days=400, peak_day=120):
    """Return days of 50 kWh with one peak of 200 kWh."""
    energy_kwh = np.full(days, 50.0)
    energy_kwh[peak_day] = 200.0
    return pd.DataFrame(
        {
            "date_key": pd.date_range("2024-01-01", periods=days),
            "energy_kwh": energy_kwh,
            "mean_energy_7_days_kwh": pd.Series(energy_kwh).rolling(7, min_periods=1).mean(),
            "is_peak_day": np.arange(days) == peak_day,
        }
    )


def hours_frame():
    """Return a week of 1 kWh per hour with a peak of 12.3 kWh on Thursday at 18:00."""
    hours = pd.DataFrame(
        [(day, hour, 1.0) for day in range(1, 8) for hour in range(24)],
        columns=["iso_weekday", "hour_of_day", "mean_load_kwh"],
    )
    is_peak = (hours["iso_weekday"] == 4) & (hours["hour_of_day"] == 18)
    hours.loc[is_peak, "mean_load_kwh"] = 12.3
    return hours


def sessions_frame():
    """Return sessions of 4, 8 and 30 kWh and 2, 4 and 6 h, one open and one over-long."""
    return pd.DataFrame(
        {
            "energy_kwh": [4.0, 8.0, 30.0, 8.0, 8.0],
            "connected_minutes": [120.0, 240.0, 360.0, np.nan, 30_000.0],
            "is_open": [False, False, False, True, False],
            "is_over_long": [False, False, False, False, True],
        }
    )


FULL_FIGURES = {
    "daily_load": lambda: daily_load_figure(daily_frame(), PROFILE),
    "load_heat_map": lambda: load_heat_map_figure(hours_frame(), PROFILE),
    "session_distributions": lambda: session_distributions_figure(sessions_frame()),
}
EMPTY_FIGURES = {
    "daily_load": lambda: daily_load_figure(daily_frame().iloc[:0], PROFILE),
    "load_heat_map": lambda: load_heat_map_figure(hours_frame().iloc[:0], PROFILE),
    "session_distributions": lambda: session_distributions_figure(sessions_frame().iloc[:0]),
}


def texts(figure: Figure) -> list[str]:
    """Return every text of a figure that is drawn."""
    figure.canvas.draw()
    return [text.get_text() for text in figure.findobj(_is_shown_text)]


def _is_shown_text(artist) -> bool:
    return hasattr(artist, "get_fontsize") and artist.get_visible() and bool(artist.get_text())


@pytest.mark.parametrize("name", FULL_FIGURES)
def test_a_figure_fits_a_page_and_can_be_read(name):
    figure = FULL_FIGURES[name]()
    width_cm = figure.get_size_inches()[0] * 2.54
    assert PAGE_WIDTH_CM[0] <= width_cm <= PAGE_WIDTH_CM[1]
    assert 150 <= figure.dpi <= 200
    figure.canvas.draw()
    assert min(text.get_fontsize() for text in figure.findobj(_is_shown_text)) >= SMALLEST_FONT


@pytest.mark.parametrize("name", FULL_FIGURES)
def test_nothing_is_cut_off_at_the_edge(name):
    figure = FULL_FIGURES[name]()
    figure.canvas.draw()
    drawn = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert 0 <= drawn.x0 < drawn.x1 <= width
    assert 0 <= drawn.y0 < drawn.y1 <= height


def test_daily_load_marks_the_peak_day():
    days = daily_frame()
    figure = daily_load_figure(days, PROFILE)
    (axes,) = figure.axes
    assert figure.get_suptitle() == "Peak day 30 April 2024: 200 kWh, 4.0 times the average"
    assert axes.get_ylabel() == "Energy (kWh per day)"
    assert axes.get_xlabel() == "Local day, 1 January 2024 to 3 February 2025"
    mean, peak = axes.lines
    assert mean.get_label() == "Mean of the last 7 days"
    assert list(mean.get_ydata()) == list(days["mean_energy_7_days_kwh"])
    assert list(peak.get_xdata()) == [date2num(pd.Timestamp("2024-04-30"))]
    assert list(peak.get_ydata()) == [200.0]
    assert "30 April 2024: 200 kWh" in texts(figure)


@pytest.mark.parametrize("days", [1, 2, 10, 4000])
def test_daily_load_works_for_short_and_long_feeds(days):
    figure = daily_load_figure(daily_frame(days, peak_day=days - 1), PROFILE)
    width, _ = figure.canvas.get_width_height()
    figure.canvas.draw()
    label = next(t for t in figure.findobj(_is_shown_text) if t.get_text().endswith(": 200 kWh"))
    assert label.get_window_extent().x0 >= 0
    assert label.get_window_extent().x1 <= width


def test_days_without_any_energy_are_drawn():
    days = daily_frame(5, 0).assign(energy_kwh=0.0, mean_energy_7_days_kwh=0.0)
    assert daily_load_figure(days, PROFILE).get_suptitle() == "Peak day 1 January 2024: 0 kWh"


def test_heat_map_names_and_marks_the_peak_hour():
    figure = load_heat_map_figure(hours_frame(), PROFILE)
    axes, colour_bar = figure.axes
    assert figure.get_suptitle() == "Neighbourhood load peaks at 18:00 on Thursdays (12.3 kWh)"
    assert colour_bar.get_ylabel() == "Mean load (kWh per hour)"
    assert axes.get_xlabel() == "Local time (hour of the day)"
    assert [label.get_text() for label in axes.get_yticklabels()][::6] == ["Monday", "Sunday"]
    (mark,) = axes.patches
    assert mark.get_xy() == (18, 3)
    grid = axes.collections[0].get_array().reshape(7, 24)
    assert grid[3, 18] == 12.3
    assert grid.sum() == pytest.approx(7 * 24 - 1 + 12.3)


def test_heat_map_leaves_hours_without_data_grey():
    hours = hours_frame().query("iso_weekday != 7")
    figure = load_heat_map_figure(hours, PROFILE)
    grid = figure.axes[0].collections[0].get_array().reshape(7, 24)
    assert grid.mask[6].all()
    assert not grid.mask[:6].any()
    assert "Grey: hours that the data doesn't cover." in texts(figure)


def test_heat_map_of_zeros_has_a_scale():
    figure = load_heat_map_figure(hours_frame().assign(mean_load_kwh=0.0), PROFILE)
    assert figure.get_suptitle() == "No energy in any hour of the week"
    assert figure.axes[0].collections[0].get_clim() == (0, 1)


def test_open_and_over_long_sessions_count_with_their_energy_only():
    figure = session_distributions_figure(sessions_frame())
    energy, connection = figure.axes
    assert figure.get_suptitle() == "Median session: 8.0 kWh, connected for 4.0 h"
    assert energy.get_xlabel() == "Energy (kWh)"
    assert connection.get_xlabel() == "Connection time (h)"
    assert sum(bar.get_height() for bar in energy.patches) == 5
    assert sum(bar.get_height() for bar in connection.patches) == 3
    assert [line.get_label() for line in energy.lines] == ["Median 8.0 kWh", "Mean 11.6 kWh"]
    assert [line.get_label() for line in connection.lines] == ["Median 4.0 h", "Mean 4.0 h"]
    assert "5 sessions, of which 1 open and 1 over-long" in " ".join(texts(figure))


def test_values_far_out_are_counted_in_the_note():
    minutes = np.append(np.full(999, 600.0), 18_000.0)
    sessions = pd.DataFrame(
        {"energy_kwh": 10.0, "connected_minutes": minutes, "is_open": False, "is_over_long": False}
    )
    figure = session_distributions_figure(sessions)
    connection = figure.axes[1]
    assert sum(bar.get_height() for bar in connection.patches) == 999
    assert connection.lines[1].get_label() == "Mean 10.3 h"
    assert "1 above 10 h are not drawn" in " ".join(texts(figure)).replace("\n", " ")


def test_sessions_that_are_all_open_have_no_connection_time():
    sessions = sessions_frame().assign(is_open=True, connected_minutes=np.nan)
    figure = session_distributions_figure(sessions)
    assert figure.get_suptitle() == "Median session: 8.0 kWh"
    assert any(text.startswith("No data") for text in texts(figure))


@pytest.mark.parametrize("name", EMPTY_FIGURES)
def test_a_figure_without_data_says_so(name):
    figure = EMPTY_FIGURES[name]()
    assert figure.get_suptitle().endswith("no data")
    assert any(text.startswith("No data") for text in texts(figure))


@pytest.mark.parametrize("name", FULL_FIGURES)
def test_the_same_data_gives_the_same_bytes(name):
    first, second = (png_bytes(FULL_FIGURES[name]()) for _ in range(2))
    assert first == second
    image = Image.open(io.BytesIO(first))
    assert image.format == "PNG"
    assert set(image.info) == {"dpi"}


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "plot.png"
    write_atomically(path, b"old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("ev_charging.plots.style.os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_marts_have_what_the_figures_read(connection):
    days = read_daily_load(connection, PROFILE)
    assert days["is_peak_day"].sum() == 1
    assert (days["date_key"].diff().dropna() == pd.Timedelta(days=1)).all()
    assert len(read_load_by_hour(connection, PROFILE)) == 7 * 24
    assert read_sessions(connection)["is_open"].any()


def test_the_load_profiles_are_those_of_the_marts(connection):
    profiles = connection.sql("select load_profile from load.load_kpis").fetchall()
    assert {name for (name,) in profiles} == set(LOAD_PROFILES)
    assert DEFAULT_LOAD_PROFILE in LOAD_PROFILES


def run(*arguments):
    """Run the command; an error that it doesn't handle fails the test."""
    result = CliRunner().invoke(draw_plots, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_the_command_writes_every_plot_twice_alike(warehouse, tmp_path):
    contents = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        result = run("--warehouse", warehouse, "--output", folder)
        assert result.exit_code == 0, result.output
        assert [Path(line) for line in result.output.splitlines()] == [folder / n for n in NAMES]
        assert sorted(path.name for path in folder.iterdir()) == NAMES
        contents.append([(folder / name).read_bytes() for name in NAMES])
    assert contents[0] == contents[1]


def test_the_command_works_on_empty_marts(tmp_path):
    with duckdb.connect(str(tmp_path / "empty.duckdb")) as connection:
        connection.execute(EMPTY_MARTS)
    result = run("--warehouse", tmp_path / "empty.duckdb", "--output", tmp_path / "plots")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == NAMES


def test_a_missing_mart_is_one_clear_line_and_changes_nothing(tmp_path):
    with duckdb.connect(str(tmp_path / "half.duckdb")) as connection:
        connection.execute(EMPTY_MARTS)
        connection.execute("drop table core.fct_charging_sessions")
    result = run("--warehouse", tmp_path / "half.duckdb", "--output", tmp_path / "plots")
    assert result.exit_code == 1
    assert "fct_charging_sessions" in result.output
    assert "run dbt build" in result.output
    assert len(result.output.splitlines()) == 1
    assert not (tmp_path / "plots").exists()


@pytest.mark.parametrize("content", [None, b"", b"not a database" * 9])
def test_a_warehouse_that_cannot_be_read_is_one_clear_line(tmp_path, content):
    path = tmp_path / "broken.duckdb"
    if content is not None:
        path.write_bytes(content)
    result = run("--warehouse", path, "--output", tmp_path / "plots")
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert "broken.duckdb" in result.output
    assert len(result.output.splitlines()) == 1


def test_an_output_that_is_a_file_is_refused(warehouse, tmp_path):
    (tmp_path / "file").write_text("")
    result = run("--warehouse", warehouse, "--output", tmp_path / "file" / "plots")
    assert result.exit_code == 1
    assert "can't write into" in result.output
