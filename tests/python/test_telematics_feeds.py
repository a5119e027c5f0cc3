"""Own driving and charging logs: broken ones, typed ones, each supplier's units and clock."""

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from dbt_runner import build_from_feeds, run_dbt
from test_feeds import reconciliation

pytestmark = pytest.mark.builds

VEHICLES, DRIVES, CHARGES, DAMAGE = FEEDS = [
    f"telematics__{entity}" for entity in ("vehicles", "drives", "charges", "injected_damage")
]
HEADERS = {
    VEHICLES: "vehicle_id,client_id,supplier,vehicle_type,battery_kwh,battery_chemistry,region,"
    "first_registered_on",
    DRIVES: "supplier,vehicle_id,started_at,ended_at,soc_start,soc_end,odometer_start,"
    "odometer_end,energy",
    CHARGES: "supplier,vehicle_id,started_at,ended_at,soc_start,soc_end,power,energy,place,"
    "odometer",
    DAMAGE: "damage_kind,vehicle_id,reference",
}
MODELS = ["staging.telematics", "+rejected_rows", "+feed_reconciliation", "+data_profile"]

# --- the deliveries -------------------------------------------------------------------------------

# (line, reason): None is accepted, "blank" is no row.
LINES = {
    VEHICLES: [
        ("v1,c1,alpha,van,60.5,NMC,north,2023-04-05", None),
        (' "v2" , c1 ,bravo,van,60,LFP,north,2023-04-05', "broken_quote"),
        (" v\u00e42 , C1 ,bravo,,,,,", None),
        (",c1,alpha,van,60,NMC,north,2023-04-05", "missing_key"),
        ("v4,c1,,van,60,NMC,north,2023-04-05", "missing_value"),
        ("v4,c1,delta,van,60,NMC,north,2023-04-05", "unknown_supplier"),
        ("v4,c1,alpha,van,60,salt,north,2023-04-05", "unknown_chemistry"),
        ("v4,c1,alpha,van,900,NMC,north,2023-04-05", "out_of_range"),
        ("v4,c1,alpha,van,60,NMC,north,5 April", "not_a_date"),
        ("v4,c1,alpha,van,60,NMC,north,2123-04-05", "time_out_of_range"),
    ],
    DRIVES: [
        ("alpha,v1,2025-06-01T08:00:00Z,2025-06-01T10:30:00+02:00,80,75.5,1000,1020.5,3.4", None),
        ("bravo,v2,2025-06-01 10:00:00,2025-06-01T10:30,0.8,0.7555,1000,1010.1,3400", None),
        ("charlie,v3,2025-06-01T08:00:00,2025-06-01T08:30:00Z,80,75.5,1000,1020.5,", None),
        ("bravo,V2,2025-10-26 02:50:00,2025-10-26 02:10:00,0.8,0.7,1000,1010,", None),
        ("bravo,V2,2025-10-26 02:20:00,2025-10-26 02:40:00,0.8,0.7,1000,1010,", None),
        ("", "blank"),
        ("bravo,v2,2025-03-30 02:20:00,2025-03-30 03:40:00,0.8,0.7,1,2,", "nonexistent_time"),
        ("bravo,v2,2025-06-02 10:00:00,2025-06-02 10:30:00,80,75.5,1,2,", "out_of_range"),
        (
            "alpha,v1,2025-06-02T08:00:00Z,2025-06-02T08:30:00Z,80,75.5,1000,1020.5",
            "too_few_fields",
        ),
        ("delta,v1,2025-06-02T08:00:00Z,2025-06-02T08:30:00Z,80,75,1,2,3", "unknown_supplier"),
        ("alpha, ,2025-06-02T08:00:00Z,2025-06-02T08:30:00Z,80,75,1,2,3", "missing_key"),
        ("alpha,v1,,2025-06-02T08:30:00Z,80,75,1,2,3", "missing_key"),
        ("alpha,v1,2025-06-02T08:00:00Z,,80,75,1,2,3", "missing_value"),
        ("alpha,v1,2025-06-02T08:00:00Z,2025-06-02T08:30:00Z,,75,1,2,3", "missing_value"),
        ("alpha,v1,2025-06-02T08:00:00Z,2025-06-02T24:00:00Z,80,75,1,2,3", "not_a_time"),
        ("alpha,v1,1970-01-01T00:00:00Z,2025-06-02T08:00:00Z,80,75,1,2,3", "time_out_of_range"),
        ("alpha,v1,2025-06-02T08:00:00Z,2025-06-02T08:00:00Z,80,75,1,2,3", "end_before_start"),
        ("alpha,v1,2025-06-02T08:00:00Z,2025-06-02T08:30:00Z,101,75,1,2,3", "out_of_range"),
        ("alpha,v1,2025-06-02T08:00:00Z,2025-06-02T08:30:00Z,80,75,2,1,3", "falling_odometer"),
        ("alpha,v1,2025-06-02T08:00:00Z,2025-06-02T08:30:00Z,80,75,-1,1,3", "negative_distance"),
        ("alpha,v1,2025-06-02T08:00:00Z,2025-06-02T08:30:00Z,80,75,1,inf,3", "not_finite"),
        ("alpha,v1,2025-06-02T08:00:00Z,2025-06-02T08:30:00Z,80,75,1,2km,3", "not_a_number"),
        ("alpha,v1,2025-06-02T08:00:00Z,2025-06-02T08:30:00Z,80,75,1,2,-3", "negative_energy"),
        ("alpha,v1,2025-06-02T08:00:00Z,2025-06-02T08:30:00Z,80,75,1,2,300", "implausible_energy"),
    ],
    CHARGES: [
        ("alpha,v1,2025-06-01T18:00:00Z,2025-06-01T20:30:00Z,60,90,7.4,18.5,home,1020.5", None),
        ("bravo,v2,2025-06-01 20:00:00,2025-06-01 22:30:00,0.6,0.9,7400,18500,depot,100.5", None),
        ("charlie,v3,2025-06-01T18:00:00Z,,60,90,7400,,public,", None),
        ("charlie,v3,2025-06-02T18:00:00Z,,,,,,,", None),
        ("alpha,v1,2025-06-02T18:00:00Z,,60,90,7.4,18.5,the moon,", "unknown_place"),
        ("alpha,v1,2025-06-02T18:00:00Z,2025-06-02T17:30:00Z,60,90,,,,", "end_before_start"),
        ("alpha,v1,2025-06-02T18:00:00Z,,60,90,7400,18500,home,", "implausible_power"),
        ("alpha,v1,2025-06-02T18:00:00Z,,60,90,7.4,18500,home,", "implausible_energy"),
        ("alpha,v1,2025-06-02T18:00:00Z,,60,90,-7.4,18.5,home,", "negative_power"),
        ("alpha,v1,2025-06-02T18:00:00Z,,60,90,7.4,-18.5,home,", "negative_energy"),
        ("alpha,v1,2025-06-02T18:00:00Z,,60,90,7.4,18.5,home,-1", "negative_distance"),
        ("bravo,v2,2025-06-02 18:00:00,,60,90,7400,18500,home,", "out_of_range"),
        ("alpha,v1,at noon,,60,90,7.4,18.5,home,", "not_a_time"),
        (",v1,2025-06-02T18:00:00Z,,60,90,7.4,18.5,home,", "missing_value"),
        ("alpha,,2025-06-02T18:00:00Z,,60,90,7.4,18.5,home,", "missing_key"),
        ("alpha,v1,2025-06-02T18:00:00Z,,60,90,7_4,18.5,home,", "not_a_number"),
    ],
    DAMAGE: [
        ("unit_slip,v1,2025-06-02T18:00:00Z", None),
        ("gremlins,v1,2025-06-02T18:00:00Z", "unknown_kind"),
        ("unit_slip,v1,", "missing_key"),
    ],
}
# The first charge again in a data frame's types, with its id in capitals; then one of another
# vehicle that is none, and one that counts until the last comes.
TYPED_CHARGES = """
    select
        'alpha' as supplier, 'V1 ' as vehicle_id,
        timestamptz '2025-06-01 20:00:00+02:00' as started_at,
        timestamp_ns '2025-06-01 20:30:00' as ended_at, 60::double as soc_start,
        90::double as soc_end, 7.4::double as power, 18.5::double as energy, 'home' as place,
        1020.5::double as odometer
    union all
    select 'alpha', 'v5', timestamptz '2025-06-01 18:00:00Z', null, 'NaN', 90, 7, 18, 'home', null
    union all
    select 'alpha', 'v5', timestamptz '2025-06-01 18:00:00Z', null, null, 90, 7, 18, 'home', null
    union all
    select 'alpha', 'v5', timestamptz '2025-06-01 18:00:00Z', null, null, 95, 7, 18, 'home', null
"""
PARQUET_ROWS = {"accepted_rows": 1, "duplicate_rows": 1, "superseded_rows": 1, "rejected_rows": 1}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """A warehouse of all four feeds."""
    folder = tmp_path_factory.mktemp("telematics")
    feeds = {}
    for feed in FEEDS:
        lines = [HEADERS[feed], *(text for text, _ in LINES[feed])]
        (folder / f"{feed}_1.csv").write_text("\n".join(lines) + "\n")
        feeds[feed] = str(folder / f"{feed}_*")
    with duckdb.connect() as connection:
        connection.execute(f"copy ({TYPED_CHARGES}) to '{folder}/{CHARGES}_2.parquet'")
    return build_from_feeds(folder, feeds, MODELS)


# --- what is read, set aside and counted once -----------------------------------------------------


@pytest.mark.parametrize("feed", FEEDS)
def test_a_broken_row_of_the_logs_is_rejected_and_its_neighbours_are_kept(own, feed):
    rows = own.execute(
        "select row_number, rejection_reason from quality.rejected_rows "
        "where feed = ? and file_name like '%.csv' order by row_number",
        [feed],
    ).fetchall()
    reasons = [reason for _, reason in LINES[feed] if reason != "blank"]
    assert rows == [(number, reason) for number, reason in enumerate(reasons, start=1) if reason]


@pytest.mark.parametrize("feed", FEEDS)
def test_every_row_of_the_logs_ends_in_exactly_one_place(own, feed):
    reasons = [reason for _, reason in LINES[feed] if reason != "blank"]
    expected = dict.fromkeys(PARQUET_ROWS, 0) if feed != CHARGES else dict(PARQUET_ROWS)
    expected["accepted_rows"] += reasons.count(None)
    expected["rejected_rows"] += len(reasons) - reasons.count(None)
    row = reconciliation(own, feed)
    assert {place: row[place] for place in expected} == expected
    assert (row["rows_read"], row["unaccounted_rows"]) == (sum(expected.values()), 0)


def test_every_column_of_the_logs_is_profiled(own):
    counts = own.execute(
        "select feed, count(*) from quality.data_profile where feed like 'telematics%' group by all"
    ).fetchall()
    assert dict(counts) == {feed: header.count(",") + 1 for feed, header in HEADERS.items()}


# --- one unit, one clock and one id ---------------------------------------------------------------


def test_drives_of_all_suppliers_are_in_the_same_units_and_on_one_clock(own):
    rows = own.execute(
        "select supplier, started_at::varchar, ended_at::varchar, soc_start_pct, soc_end_pct, "
        "odometer_start_km, odometer_end_km, energy_kwh from staging.stg_telematics__drives "
        "where started_at < '2025-07-01' order by supplier"
    ).fetchall()
    begin, end = "2025-06-01 08:00:00", "2025-06-01 08:30:00"
    numbers = [Decimal(number) for number in ("80", "75.5", "1000", "1020.5", "3.4")]
    miles = [Decimal(number) for number in ("80", "75.55", "1609.344", "1625.598374", "3.4")]
    assert rows == [
        ("alpha", begin, end, *numbers),
        ("bravo", begin, end, *miles),
        ("charlie", begin, end, *numbers[:4], None),
    ]


def test_charges_of_all_suppliers_are_in_the_same_units_and_on_one_clock(own):
    rows = own.execute(
        "select supplier, ended_at::varchar, soc_start_pct, soc_end_pct, max_power_kw, "
        "energy_kwh, place, odometer_km from staging.stg_telematics__charges "
        "where started_at = '2025-06-01 18:00:00' and vehicle_id <> 'V5' order by supplier"
    ).fetchall()
    end, numbers = "2025-06-01 20:30:00", [Decimal("60"), Decimal("90"), Decimal("7.4")]
    assert rows == [
        ("alpha", end, *numbers, Decimal("18.5"), "home", Decimal("1020.5")),
        ("bravo", end, *numbers, Decimal("18.5"), "depot", Decimal("161.739072")),
        ("charlie", None, *numbers, None, "public", None),
    ]


def test_the_newest_delivery_of_a_charge_counts_whatever_the_case_of_its_vehicle(own):
    rows = own.execute(
        "select vehicle_id, soc_start_pct, soc_end_pct from staging.stg_telematics__charges "
        "where supplier = 'alpha' order by all"
    ).fetchall()
    assert rows == [("V1", 60, 90), ("V5", None, 95)]


def test_an_hour_that_was_twice_is_resolved_by_the_order_of_begin_and_end_or_flagged(own):
    rows = own.execute(
        "select started_at::varchar, ended_at::varchar, is_ambiguous_time "
        "from staging.stg_telematics__drives where started_at > '2025-10-01' order by started_at"
    ).fetchall()
    assert rows == [
        ("2025-10-26 00:20:00", "2025-10-26 00:40:00", True),
        ("2025-10-26 00:50:00", "2025-10-26 01:10:00", False),
    ]


def test_ids_of_vehicles_and_clients_are_normalised(own):
    rows = own.execute(
        "select vehicle_id, client_id from staging.stg_telematics__vehicles order by all"
    ).fetchall()
    assert rows == [("V1", "C1"), ("V\u00c42", "C1")]


# --- what is wrong is found -----------------------------------------------------------------------


def test_all_damage_of_the_default_logs_is_found_and_nothing_else(connection):
    rows = connection.execute(
        "select damage_kind, precision_share, recall_share, injected > 10 "
        "from quality.telematics_damage_scores order by damage_kind"
    ).fetchall()
    kinds = [
        *("fragmented_charge", "missing_charge", "missing_drive", "odometer_error", "overlap"),
        *("repeated_row", "soc_error", "unit_slip"),
    ]
    assert rows == [(kind, 1, 1, True) for kind in kinds]


def test_vehicles_with_damage_in_their_default_logs_are_incoherent(connection):
    (coherent,) = connection.execute(
        "select count(*) from quality.telematics_coherence as coherence "
        "inner join staging.stg_telematics__injected_damage as damage using (vehicle_id) "
        "where coherence.is_coherent "
        "and damage_kind in ('missing_charge', 'missing_drive', 'odometer_error', 'overlap')"
    ).fetchone()
    assert coherent == 0


# --- what nothing depends on ----------------------------------------------------------------------


@pytest.mark.parametrize("feed", FEEDS)
def test_nothing_is_joined_or_sorted_while_a_feed_of_logs_is_read(own, feed):
    (warehouse,) = own.execute("select path from duckdb_databases() where not internal").fetchone()
    models = Path(warehouse).parent / "target" / "compiled" / "ev_charging" / "models"
    compiled = (models / "staging" / "telematics" / f"base_{feed}.sql").read_text()
    plan = own.execute(f"explain {compiled}").fetchall()[0][1]
    assert "READ_CSV" in plan or "READ_PARQUET" in plan
    assert "JOIN" not in plan
    assert "ORDER_BY" not in plan


def test_a_supplier_in_an_unknown_unit_is_refused(tmp_path):
    suppliers = {
        "alpha": {"distance_unit": "yd", "power_unit": "kW", "soc_scale": 100, "time_zone": "UTC"}
    }
    result = run_dbt(
        ["compile", "--select", "base_telematics__drives"],
        tmp_path / "warehouse.duckdb",
        vars={"telematics_suppliers": suppliers},
    )
    assert result.returncode != 0
    assert "distance_unit yd for alpha, not one of km, mi" in result.stdout
