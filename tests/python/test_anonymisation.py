"""The macros that decide what may leave the house, beside the same rules in plain Python."""

from collections import Counter, defaultdict
from collections.abc import Iterable

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_runner import run_dbt

# With a smaller p than that of the project, dominance is a rule of its own in small cells, too.
MIN_VEHICLES, MIN_CLIENTS, P_PERCENT, DOMINANCE, RECORDS = 3, 2, 0.05, 0.8, 3
LIMITS = {
    "extract_min_vehicles": MIN_VEHICLES,
    "extract_min_clients": MIN_CLIENTS,
    "extract_p_percent": P_PERCENT,
    "extract_dominance_share": DOMINANCE,
}
QUERIES = {
    "cells": "{{ cell_safety('contributions', ['cell'], ['kwh'], ['km'], ['share']) }}",
    "union": "{{ smallest_safe_union('contributions', ['month'], 'cell', ['kwh']) }}",
    "sets": f"{{{{ shared_record_sets('records', ['month'], 'record', {RECORDS}) }}}}",
    "figures": """
        select
            {{ rounded_to('number', 5) }},
            {{ rounded_share('number / 100', 'true', 'true') }},
            {{ rounded_share('number / 100', 'false', 'true') }},
            {{ rounded_share('number / 100', 'true', 'false') }},
            {{ class_by_bounds('number', [11, 50]) }}
        from numbers
    """,
    "ids": "select {{ normalised_id('delivered') }} from ids",
}
Part = tuple[str, str, str | None, int | None, int | None]  # cell, vehicle, client, kWh, km


@pytest.fixture(scope="module")
def queries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The queries as dbt renders them, with small limits."""
    path = tmp_path_factory.mktemp("macros") / "warehouse.duckdb"
    result = run_dbt(
        ["--quiet", "compile", "--inline", "\n;\n".join(QUERIES.values())], path, vars=LIMITS
    )
    assert result.returncode == 0, result.stdout
    return dict(zip(QUERIES, result.stdout.split(";"), strict=True))


@pytest.fixture(scope="module")
def database() -> Iterable[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


# --- the rules once more --------------------------------------------------------------------------


Votes = list[tuple[str, str | None, float]]  # vehicle, client, part


def largest(votes: Votes) -> list[list[float]]:
    """The two largest parts of a vehicle, and of a client."""
    sides = []
    for side in (0, 1):
        parts: Counter = Counter()
        for vote in votes:
            parts[vote[side]] += vote[2]
        sides.append([*sorted(parts.values(), reverse=True), 0, 0][:2])
    return sides


def keeps_p_percent(votes: Votes) -> bool:
    total = sum(part for _, _, part in votes)
    return all(total - first - second >= P_PERCENT * first for first, second in largest(votes))


def has_part(votes: Votes) -> bool:
    """Whether there is something of a share, and it isn't that of one or two."""
    return any(part for _, _, part in votes) and keeps_p_percent(votes)


def reason(votes: Votes) -> str | None:
    """Why a total can't be published, None if it can."""
    if len({vehicle for vehicle, _, _ in votes}) < MIN_VEHICLES:
        return "too_few_vehicles"
    if len({client for _, client, _ in votes if client}) < MIN_CLIENTS:
        return "too_few_clients"
    if not keeps_p_percent(votes):
        return "p_percent"
    total = sum(part for _, _, part in votes)
    if any(first > DOMINANCE * total for first, _ in largest(votes)):
        return "dominance"
    return None


def reason_of_cell(parts: Iterable[Part]) -> str | None:
    """Why a cell, or several as one, can't be published: by its energy, then by its votes."""
    energy: dict[tuple, int] = {}
    everybody = set()
    for _, vehicle, client, kwh, _ in parts:
        everybody.add((vehicle, client))
        if kwh is not None:
            energy[vehicle, client] = energy.get((vehicle, client), 0) + kwh
    return reason([(*who, kwh) for who, kwh in energy.items()]) or reason(
        [(*who, 1) for who in everybody]
    )


def by_cell(parts: Iterable[Part]) -> dict[str, list[Part]]:
    cells = defaultdict(list)
    for part in parts:
        cells[part[0]].append(part)
    return dict(cells)


def size(parts: list[Part]) -> int:
    return min(len(parts), sum(part[3] is not None for part in parts))


def expected_union(parts: list[Part]) -> tuple[set[str], bool]:
    """The cells that are merged or hidden, and whether they are safe together."""
    cells = by_cell(parts)
    rare = {cell for cell, rows in cells.items() if reason_of_cell(rows)}
    if not rare:
        return set(), True
    others = sorted(set(cells) - rare, key=lambda cell: (size(cells[cell]), cell))
    for count in range(len(others) + 1):
        union = rare | set(others[:count])
        if reason_of_cell([part for cell in union for part in cells[cell]]) is None:
            return union, True
    return set(cells), False


def expected_sets(records: dict[str, str], clients: dict[str, str | None]) -> dict[str, str]:
    """The records that each vehicle is released with; vehicles that aren't are left out."""
    released: dict[str, str] = {}
    for count in range(RECORDS, 0, -1):
        tried = defaultdict(list)
        for vehicle, kinds in records.items():
            if vehicle not in released and len(kinds) >= count:
                tried[kinds[:count]].append(vehicle)
        for kinds, vehicles in tried.items():
            if reason([(vehicle, clients[vehicle], 1) for vehicle in vehicles]) is None:
                released |= dict.fromkeys(vehicles, kinds)
    return released


# --- cells ----------------------------------------------------------------------------------------

CLIENTS = st.sampled_from([None, "c1", "c2", "c3", "c4"])
KWH = st.sampled_from([None, 0, 1, 2, 5, 8, 10, 100])
KM = st.sampled_from([None, 1, 1, 1, 2, 3, 4, 5])
# Cells of all sizes: a vehicle is in the first one more often than in the last.
CELLS = {"a": 2, "b": 4, "c": 6, "d": 9}


@st.composite
def contributions(draw) -> list[Part]:
    """Some vehicles of some clients in some of four cells."""
    clients = draw(st.lists(CLIENTS, min_size=1, max_size=14))
    return [
        (cell, f"v{number}", client, draw(KWH), draw(KM))
        for number, client in enumerate(clients)
        for cell, seldom in CELLS.items()
        if draw(st.integers(0, 9)) >= seldom
    ]


def load(database: duckdb.DuckDBPyConnection, parts: list[Part]) -> None:
    database.execute(
        """
        create or replace table contributions (
            month varchar, cell varchar, vehicle_key varchar, client_id varchar,
            kwh decimal(18, 6), km double,
            share decimal(9, 6) as (cast((km - 1) / 4 as decimal(9, 6)))
        )
        """
    )
    if parts:
        columns = "month, cell, vehicle_key, client_id, kwh, km"
        database.executemany(
            f"insert into contributions ({columns}) values ('2025-06', ?, ?, ?, ?, ?)", parts
        )


@settings(deadline=None, max_examples=150, derandomize=True)
@given(contributions())
def test_cells_are_judged_as_the_rules_say(queries, database, parts):
    load(database, parts)
    found = {
        row[0]: row[1:]
        for row in database.sql(
            f"""
            select
                cell, vehicles, clients, hidden_reason, is_safe_km, has_some_share, has_rest_share
            from ({queries["cells"]})
            """
        ).fetchall()
    }
    expected = {}
    for cell, rows in by_cell(parts).items():
        charged = [part for part in rows if part[3] is not None]
        clients = [len({part[2] for part in some if part[2]}) for some in (rows, charged)]
        km = [(vehicle, client, 1) for _, vehicle, client, _, km in rows if km is not None]
        expected[cell] = (
            size(rows),
            min(clients),
            reason_of_cell(rows),
            reason(km) is None,
            has_part([(*part[1:3], (part[4] - 1) / 4) for part in rows if part[4]]),
            has_part([(*part[1:3], (5 - part[4]) / 4) for part in rows if part[4]]),
        )
    assert found == expected


@settings(deadline=None, max_examples=150, derandomize=True)
@given(contributions())
def test_a_union_is_the_smallest_that_could_be_published(queries, database, parts):
    load(database, parts)
    rows = database.sql(
        f"select cell, is_in_union, is_union_safe from ({queries['union']})"
    ).fetchall()
    union, is_safe = expected_union(parts)
    assert {cell for cell, _, _ in rows} == set(by_cell(parts))
    assert {cell for cell, is_in_union, _ in rows if is_in_union} == union
    assert {safe for _, _, safe in rows} <= {is_safe}


@settings(deadline=None, max_examples=300, derandomize=True)
@given(contributions())
def test_whatever_is_added_up_or_subtracted_could_be_published(parts):
    """What the macro's promise rests on: a union of safe cells is safe."""
    cells = by_cell(parts)
    union, is_safe = expected_union(parts)
    shown = sorted(set(cells) - union)
    unions = [[part for part in parts if part[0] in union]] if union and is_safe else []
    for chosen in range(1, 2 ** len(shown)):
        names = {cell for place, cell in enumerate(shown) if chosen >> place & 1}
        unions.append([part for part in parts if part[0] in names])
        if union and is_safe:
            unions.append([part for part in parts if part[0] in names | union])
    assert [reason_of_cell(rows) for rows in unions] == [None] * len(unions)


# --- sets of records ------------------------------------------------------------------------------


@settings(deadline=None, max_examples=150, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", "ab", "abc", "abd", "ad"]), CLIENTS)))
def test_vehicles_are_released_with_the_longest_set_that_others_share(queries, database, vehicles):
    records = {f"v{number}": kinds for number, (kinds, _) in enumerate(vehicles)}
    clients = {f"v{number}": client for number, (_, client) in enumerate(vehicles)}
    database.execute(
        """
        create or replace table records (
            month varchar, vehicle_key varchar, client_id varchar, record_number integer,
            record varchar
        )
        """
    )
    rows = [
        (vehicle, clients[vehicle], place, kind)
        for vehicle, kinds in records.items()
        for place, kind in enumerate(kinds, start=1)
    ]
    if rows:
        database.executemany("insert into records values ('2025-06', ?, ?, ?, ?)", rows)
    found = database.sql(
        f"select vehicle_key, released_records, record_set, vehicles from ({queries['sets']})"
    ).fetchall()
    expected = expected_sets(records, clients)
    assert {row[0] for row in found} == set(records)
    assert {row[0]: row[2].replace(" | ", "") for row in found if row[1]} == expected
    assert all(len(expected.get(row[0], "")) == row[1] for row in found)
    sharing = Counter(expected.values())
    assert all(row[3] == sharing[expected[row[0]]] for row in found if row[1])


# --- figures --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "rounded", "share", "named"),
    [
        (0, 0, 5, "up to 11"),
        (2.49, 0, 5, "up to 11"),
        (2.5, 5, 5, "up to 11"),
        (11, 10, 10, "up to 11"),
        (11.1, 10, 10, "11 to 50"),
        (50, 50, 50, "11 to 50"),
        (50.5, 50, 50, "above 50"),
        (97.5, 100, 95, "above 50"),
        (100, 100, 95, "above 50"),
        (None, None, None, None),
    ],
)
def test_figures_are_rounded_and_classed(queries, database, number, rounded, share, named):
    database.execute(
        "create or replace table numbers as select cast(? as double) as number", [number]
    )
    none = None if number is None else 5
    all_but_none = None if number is None else 95
    assert database.sql(queries["figures"]).fetchone() == (
        rounded,
        share,
        none,
        all_but_none,
        named,
    )


@pytest.mark.parametrize(
    "delivered",
    ["abc-é", " ABC-É", "Abc-e\u0301\t", "\u00a0abc-É \u00a0"],
)
def test_an_id_is_one_however_it_is_typed(queries, database, delivered):
    database.execute("create or replace table ids as select ? as delivered", [delivered])
    assert database.sql(queries["ids"]).fetchone() == ("ABC-É",)


# --- the default data -----------------------------------------------------------------------------

EXTRACTS = (
    "charging_records",
    "drive_lengths",
    "vehicle_type_consumption",
    "battery_usage",
    "session_indicators",
)


@pytest.mark.parametrize("extract", EXTRACTS)
def test_every_extract_of_the_default_data_has_something_to_say(connection, extract):
    rows = connection.sql(f"from extracts.extract_{extract}").df()
    assert len(rows) >= 3
    assert not rows.isna().all(axis=1).any()
    assert set(rows["month"]) == {"2025-06"}


@pytest.mark.parametrize(
    ("extract", "cell"),
    [
        ("drive_lengths", "drive_date || ' / ' || day_period"),
        ("vehicle_type_consumption", "vehicle_type"),
        ("battery_usage", "battery_class"),
        ("session_indicators", "place"),
    ],
)
def test_exactly_the_published_cells_of_the_audit_are_delivered(connection, extract, cell):
    delivered = connection.sql(
        f"select month, {cell} from extracts.extract_{extract} order by all"
    ).fetchall()
    audited = connection.sql(
        f"""
        select month, cell from quality.extract_audit
        where extract = '{extract}' and is_published
        order by all
        """
    ).fetchall()
    assert delivered == audited


def test_rules_hide_or_merge_something_of_the_default_data(connection):
    reasons = connection.sql("select distinct hidden_reason from quality.extract_audit").fetchall()
    assert {(None,), ("merged",), ("too_few_vehicles",)} <= set(reasons)


def test_the_medians_of_places_are_those_of_the_sessions(connection):
    """Energy and power of each place, from the sessions, without the models between."""
    sessions = connection.sql("from mobility.session_indicators").df()
    extract = connection.sql("from extracts.extract_session_indicators").df().set_index("place")
    for place, rows in sessions.groupby("place"):
        if place in extract.index:
            energy = rows["energy_kwh"].astype(float).sum()
            power = rows["mean_power_kw"].astype(float).groupby(rows["vehicle_key"]).mean().median()
            assert extract.loc[place, "energy_kwh"] == 50 * int(energy / 50 + 0.5)
            assert extract.loc[place, "median_power_kw"] == int(power + 0.5)


@pytest.mark.parametrize(
    ("limits", "line"),
    [
        (
            {"extract_min_vehicles": "11"},
            'extract_min_vehicles must be a whole number from 1 on, not "11"',
        ),
        ({"extract_energy_step_kwh": 0}, "extract_energy_step_kwh must be a number above 0, not 0"),
        (
            {"extract_power_class_kw": [50, 11]},
            "extract_power_class_kw must be a list of ascending numbers",
        ),
    ],
)
def test_a_limit_that_cannot_be_one_stops_the_build(tmp_path, limits, line):
    result = run_dbt(
        ["run", "--select", "int_extracts__parameters"], tmp_path / "warehouse.duckdb", vars=limits
    )
    assert result.returncode != 0
    assert line in result.stdout
