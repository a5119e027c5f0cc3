"""Own files of a simulated fleet: broken ones, typed ones, empty ones, a row delivered twice."""

from pathlib import Path

import duckdb
import pytest

from dbt_runner import build_from_feeds
from test_feeds import reconciliation

pytestmark = pytest.mark.builds

USERS, TELEMETRY, EVENTS, TRIPS, DISPATCHES, TRUTH, DAMAGE = FEEDS = [
    f"simulator__{entity}"
    for entity in (
        *("users", "telemetry", "plug_events", "trips", "dispatches"),
        *("session_truth", "injected_damage"),
    )
]
HEADERS = {
    USERS: "run_id,user_id,archetype,battery_kwh,charger_kw,target_soc_pct,reserve_soc_pct,"
    "km_per_kwh,price_zone,time_zone",
    TELEMETRY: "run_id,user_id,starts_at,ends_at,import_kwh,export_kwh,import_register_kwh,"
    "export_register_kwh,soc_pct,state",
    EVENTS: "run_id,user_id,event,occurred_at,received_at,soc_pct,import_register_kwh,"
    "export_register_kwh",
    TRIPS: "run_id,user_id,departed_at,arrived_at,distance_km,driving_kwh,public_kwh,"
    "soc_start_pct,soc_end_pct",
    DISPATCHES: "run_id,dispatch_id,user_id,event,occurred_at,window_starts_at,window_ends_at,"
    "mode,energy_kwh,counterfactual_run_id",
    TRUTH: "run_id,user_id,plugged_in_at,plugged_out_at,expected_departure_at,charging_started_at,"
    "charging_ended_at,charging_seconds,import_kwh,export_kwh,soc_start_pct,soc_end_pct",
    DAMAGE: "damage_kind,run_id,user_id,reference",
}
HEADER_ONLY = [TRIPS, TRUTH]
MODELS = ["staging.simulator", "+rejected_rows", "+feed_reconciliation", "+data_profile"]

# --- the deliveries -------------------------------------------------------------------------------

# (line, reason): None is accepted, "blank" is no row.
LINES = {
    USERS: [
        ("r,u1,Average (UK),60,7,80,30,5.6,NO3,America/New_York", None),
        ("r,u2,Average (UK),60,7,80,30,5.6,,", None),
        ("r,u3,Average (UK),60,7,80,30,5.6,NO3,Europe/Atlantis", "unknown_time_zone"),
        ("r/s,u4,Average (UK),60,7,80,30,5.6,NO3,", "slash_in_key"),
        ("r,,Average (UK),60,7,80,30,5.6,NO3,", "missing_key"),
        ("r,u6,,60,7,80,30,5.6,NO3,", "missing_value"),
        ("r,u7,Average (UK),0,7,80,30,5.6,NO3,", "out_of_range"),
        ("r,u8,Average (UK),60,7,800,30,5.6,NO3,", "out_of_range"),
        ("r,u9,Average (UK),60,7kW,80,30,5.6,NO3,", "not_a_number"),
    ],
    TELEMETRY: [
        ("r,u1,2024-10-27T00:00:00Z,2024-10-27T00:30:00Z,3.5,0,103.5,0,50,charging", None),
        ("r,u1,2024-10-27T02:30:00+02:00,2024-10-27T01:00:00Z,3500,0,107,0,,charging", None),
        ("r,u1,2024-10-27T00:30:00Z,2024-10-27T01:00:00Z,3.5,0,107,0,50", "too_few_fields"),
        ("", "blank"),
        ("r,u1,2024-10-27T24:00:00Z,2024-10-28T00:30:00Z,3.5,0,107,0,50,charging", "not_a_time"),
        (
            "r,u1,2024-10-27T01:00:00Z,2124-10-27T01:30:00Z,3.5,0,107,0,50,charging",
            "time_out_of_range",
        ),
        (
            "r,u1,2024-10-27T01:00:00Z,2024-10-27T00:30:00Z,3.5,0,107,0,50,charging",
            "end_before_start",
        ),
        (
            "r,u1,2024-10-27T01:00:00Z,2025-10-27T01:30:00Z,3.5,0,107,0,50,charging",
            "implausible_duration",
        ),
        ("r,u1,2024-10-27T01:00:00Z,2024-10-27T01:30:00Z,-1,0,107,0,50,idle", "negative_energy"),
        (
            "r,u1,2024-10-27T01:00:00Z,2024-10-27T01:30:00Z,1e9,0,107,0,50,idle",
            "implausible_energy",
        ),
        ("r,u1,2024-10-27T01:00:00Z,2024-10-27T01:30:00Z,0,0,1e13,0,50,idle", "out_of_range"),
        ("r,u1,2024-10-27T01:00:00Z,2024-10-27T01:30:00Z,0,0,NaN,0,50,idle", "not_finite"),
        ("r,u1,2024-10-27T01:00:00Z,2024-10-27T01:30:00Z,0,,107,0,50,idle", "missing_value"),
        ("r,u1,2024-10-27T01:00:00Z,2024-10-27T01:30:00Z,0,0,107,0,150,idle", "out_of_range"),
        ("r,u1,2024-10-27T01:00:00Z,2024-10-27T01:30:00Z,0,0,107,0,50,asleep", "unknown_state"),
    ],
    EVENTS: [
        ("r,u1,plug_in,2024-10-27T00:00:00Z,2024-10-29T00:00:00Z,50,100,0", None),
        ("r,u1,plug_in,at noon,2024-10-27T00:00:00Z,50,100,0", "not_a_time"),
        ("r,u1,unplugged,2024-10-27T00:00:00Z,2024-10-27T00:00:00Z,50,100,0", "unknown_event"),
        ("r,u1,,2024-10-27T00:00:00Z,2024-10-27T00:00:00Z,50,100,0", "missing_key"),
        ("r,u1,plug_out,2024-10-27T00:00:00Z,,50,100,0", "missing_value"),
        ("r,u1,plug_out,2024-10-27T00:00:00Z,2024-10-27T00:00:00Z,50,-1,0", "negative_energy"),
        ("r,u1,plug_out,2024-10-27T00:00:00Z,2024-10-27T00:00:00Z,half,1,0", "not_a_number"),
    ],
    DISPATCHES: [
        (
            "r,d,u1,acknowledged,2024-10-27T15:00:01Z,2024-10-27T16:00:00Z,2024-10-27T17:00:00Z,"
            "drain,,",
            None,
        ),
        (
            "r,d,u1,metered,2024-10-27T17:00:00Z,2024-10-27T16:00:00Z,2024-10-27T17:00:00Z,drain,,",
            "missing_value",
        ),
        (
            "r,d,u1,metered,2024-10-27T17:00:00Z,2024-10-27T16:00:00Z,2024-10-27T17:00:00Z,boost,1,",
            "unknown_mode",
        ),
        (
            "r,d,u1,metered,2024-10-27T17:00:00Z,2024-10-27T16:00:00Z,2024-10-27T17:00:00Z,drain,"
            "6800,",
            "implausible_energy",
        ),
    ],
    DAMAGE: [
        ("unit_slip,r,u1,2024-10-27T00:00:00Z", None),
        ("fire,r,u1,2024-10-27T00:00:00Z", "unknown_kind"),
        ("unit_slip,r,u1,", "missing_key"),
    ],
}
# The first row of telemetry again as a data frame has it; then of another driver one that is none,
# and one that counts until the last comes.
TYPED_TELEMETRY = """
    select
        'r' as run_id, 'u1' as user_id, timestamptz '2024-10-27 02:00:00+02:00' as starts_at,
        timestamp_ns '2024-10-27 00:30:00' as ends_at, 3.5::double as import_kwh,
        0::double as export_kwh, 103.5::double as import_register_kwh,
        0::double as export_register_kwh, 50::double as soc_pct, 'charging' as state
    union all
    select 'r', 'u2', timestamptz '2024-10-27 00:00:00+00', '2024-10-27 00:30:00',
        3.25, 0, 103.5, 0, 'NaN', 'charging'
    union all
    select 'r', 'u2', timestamptz '2024-10-27 00:00:00+00', '2024-10-27 00:30:00',
        3.25, 0, 103.5, 0, null, 'charging'
    union all
    select 'r', 'u2', timestamptz '2024-10-27 00:00:00+00', '2024-10-27 00:30:00',
        3.5, 0, 103.5, 0, 50.25, 'charging'
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """A warehouse of all seven feeds."""
    folder = tmp_path_factory.mktemp("simulator")
    feeds = {}
    for feed in FEEDS:
        lines = [HEADERS[feed], *(text for text, _ in LINES.get(feed, []))]
        (folder / f"{feed}_1.csv").write_text("\n".join(lines) + "\n")
        feeds[feed] = str(folder / f"{feed}_*")
    with duckdb.connect() as connection:
        connection.execute(f"copy ({TYPED_TELEMETRY}) to '{folder}/{TELEMETRY}_2.parquet'")
    return build_from_feeds(folder, feeds, MODELS)


# --- what is read, set aside and counted once -----------------------------------------------------


@pytest.mark.parametrize("feed", LINES)
def test_a_broken_row_of_the_fleet_is_rejected_and_its_neighbours_are_kept(own, feed):
    rows = own.execute(
        "select row_number, rejection_reason from quality.rejected_rows "
        "where feed = ? and file_name like '%.csv' order by row_number",
        [feed],
    ).fetchall()
    reasons = [reason for _, reason in LINES[feed] if reason != "blank"]
    assert rows == [(number, reason) for number, reason in enumerate(reasons, start=1) if reason]


def test_every_row_of_the_fleet_ends_in_exactly_one_place(own):
    for feed in FEEDS:
        reasons = [reason for _, reason in LINES.get(feed, []) if reason != "blank"]
        accepted = reasons.count(None)
        expected = {"accepted_rows": accepted, "duplicate_rows": 0, "superseded_rows": 0}
        expected["rejected_rows"] = len(reasons) - accepted
        if feed == TELEMETRY:
            expected["accepted_rows"] += 1
            expected["duplicate_rows"] = expected["superseded_rows"] = 1
            expected["rejected_rows"] += 1
        row = reconciliation(own, feed)
        assert (feed, {place: row[place] for place in expected}) == (feed, expected)
        assert (row["rows_read"], row["unaccounted_rows"]) == (sum(expected.values()), 0)


def test_telemetry_in_parquet_arrives_as_it_is_and_the_newest_delivery_counts(own):
    rows = own.execute(
        "select user_id, starts_at::varchar, ends_at::varchar, import_kwh::double, soc_pct::double "
        "from staging.stg_simulator__telemetry order by all"
    ).fetchall()
    assert rows == [
        ("u1", "2024-10-27 00:00:00", "2024-10-27 00:30:00", 3.5, 50),
        # in Wh, which is no fault of a row
        ("u1", "2024-10-27 00:30:00", "2024-10-27 01:00:00", 3500, None),
        ("u2", "2024-10-27 00:00:00", "2024-10-27 00:30:00", 3.5, 50.25),
    ]


def test_a_driver_without_zones_has_those_of_the_simulator(own):
    rows = own.execute(
        "select user_id, price_zone, time_zone from staging.stg_simulator__users order by all"
    ).fetchall()
    assert rows == [("u1", "NO3", "America/New_York"), ("u2", "NO3", "Europe/Oslo")]


@pytest.mark.parametrize("feed", HEADER_ONLY)
def test_a_feed_of_the_fleet_that_is_a_header_has_no_rows(own, feed):
    assert own.execute(f"select count(*) from staging.stg_{feed}").fetchone() == (0,)
    assert reconciliation(own, feed)["files"] == 1


# --- what nothing depends on ----------------------------------------------------------------------


@pytest.mark.parametrize("feed", FEEDS)
def test_nothing_is_joined_or_sorted_while_a_feed_of_the_fleet_is_read(own, feed):
    (warehouse,) = own.execute("select path from duckdb_databases() where not internal").fetchone()
    models = Path(warehouse).parent / "target" / "compiled" / "ev_charging" / "models"
    compiled = (models / "staging" / "simulator" / f"base_{feed}.sql").read_text()
    plan = own.execute(f"explain {compiled}").fetchall()[0][1]
    assert "READ_CSV" in plan or "READ_PARQUET" in plan
    assert "JOIN" not in plan
    assert "ORDER_BY" not in plan
