"""A run that can't be is refused with the value that is wrong."""

from dataclasses import replace
from datetime import date

import pytest

from ev_charging.simulation.archetypes import check_archetypes, read_archetypes
from ev_charging.simulation.config import Dispatch, FleetConfig, default_dates
from ev_charging.simulation.simulator import Fleet
from simulated_fleets import ARCHETYPES_FILE, archetypes, prices


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"users": 0}, "users must lie between 1 and"),
        ({"days": 0}, "days must lie between"),
        ({"seed": -1}, "seed must lie"),
        ({"mode": "real"}, "mode must be one of sketch, calibrated, not real"),
        ({"controller": "clever"}, "controller must be one of"),
        ({"step_minutes": 7}, "step_minutes must be one of 1, 5, 15, 30, not 7"),
        ({"time_zone": "Europe/Nowhere"}, "time_zone is unknown: Europe/Nowhere"),
        ({"zone": "NO 3"}, "zone must be the code of a price zone"),
        ({"scheduled_start": "25:00"}, "scheduled_start must be a time of day"),
        ({"scheduled_start": "7"}, "scheduled_start must be a time of day"),
        ({"cap_kw_per_car": 1.0}, "cap_kw_per_car needs the smart controller"),
        ({"jitter_minutes": 10}, "jitter_minutes needs a controller that plans"),
        ({"jitter_minutes": float("nan"), "controller": "smart"}, "jitter_minutes must lie"),
        ({"dispatch": Dispatch(mode="explode")}, "dispatch mode must be one of drain, pause"),
        ({"dispatch": Dispatch(start="18:00", end="17:00")}, "dispatch must end after 18:00"),
        ({"dispatch": Dispatch(start="17:10", end="18:00")}, "on a half-hour"),
        (
            {"dispatch": Dispatch(), "start": date(2024, 10, 11), "days": 3},
            "dispatch has no date: there is no Tuesday or Thursday in the second half",
        ),
        ({"dispatch": Dispatch(acknowledged_share=2)}, "acknowledged_share must lie"),
        ({"dispatch": Dispatch(dates=(date(2020, 1, 1),))}, "2020-01-01 lies outside the run"),
    ],
)
def test_an_impossible_run_is_refused_by_its_value(options, message):
    with pytest.raises(ValueError, match=message):
        FleetConfig(**options)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("population_pct", 50.0, "must sum to 100, not to 110"),
        ("population_pct", -1.0, "Average .UK.: population_pct must lie between 0 and 100"),
        ("battery_kwh", 0.0, "battery_kwh must lie between 1"),
        ("battery_kwh", float("nan"), "battery_kwh must lie between 1"),
        ("charger_kw", 1.0, "charger_kw must lie between 1.4"),
        ("plug_ins_per_day", 2.0, "plug_ins_per_day must lie"),
        ("target_soc", 1.2, "target_soc must lie"),
        ("plug_out_s", 18 * 3600, "plugs in and out at the same time"),
        ("name", "Scheduled charging", "stands there more than once"),
    ],
)
def test_archetypes_that_no_fleet_can_have_are_refused_by_name(field, value, message):
    first, *others = archetypes()
    with pytest.raises(ValueError, match=message):
        check_archetypes([replace(first, **{field: value}), *others])


def test_no_archetypes_are_refused():
    with pytest.raises(ValueError, match="no archetypes"):
        check_archetypes([])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",9435,", ",many,", "miles_per_year must be a number, not 'many'"),
        ("miles_per_year", "km_per_year", "no column miles_per_year"),
        ("18:00", "6 PM", "plug_in_time must be a time of day as HH:MM, not '6 PM'"),
        ("1,Average (UK),", "1,,", "an archetype has no name"),
    ],
)
def test_a_file_of_archetypes_is_refused_by_what_is_wrong_in_it(tmp_path, old, new, message):
    file = tmp_path / "archetypes.csv"
    file.write_text(ARCHETYPES_FILE.read_text().replace(old, new))
    with pytest.raises(ValueError, match=message):
        read_archetypes(file)


def test_windows_fall_on_tuesdays_and_thursdays_of_the_second_half_of_a_run():
    dates = default_dates(date(2024, 10, 14), 21)
    assert dates == (
        date(2024, 10, 24),
        date(2024, 10, 29),
        date(2024, 10, 31),
    )


def test_a_day_that_is_named_twice_has_one_window():
    days = (date(2024, 10, 8), date(2024, 10, 7), date(2024, 10, 8))
    assert FleetConfig(dispatch=Dispatch(dates=days)).dispatch_dates() == (days[1], days[0])


def test_a_window_that_the_clock_skips_is_refused():
    spring = date(2024, 3, 31)
    dispatch = Dispatch(start="02:00", end="03:00", dates=(spring,))
    config = FleetConfig(users=1, days=2, start=date(2024, 3, 30), dispatch=dispatch)
    with pytest.raises(ValueError, match="the clock skips the dispatch on 2024-03-31"):
        Fleet(config, archetypes(), prices())
