"""Pseudonyms are keyed hashes, and their key is nowhere but in memory."""

import base64
import hashlib
import hmac
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from dbt_common.exceptions import DbtRuntimeError

from dbt_runner import PROJECT_ROOT, run_dbt
from ev_charging.pseudonym_key import MIN_BYTES, VARIABLE, Plugin, master_key

pytestmark = pytest.mark.builds

# 41 bytes: as text it isn't ASCII, and in base64 it isn't aligned with what may stand before it.
KEY = "a key of the tests, ø long enough to use"
PARTNERS = ("grid_operator", "energy_aggregator")
QUERIES = {
    "hmac": """
        select {{ hmac_sha256('inner_pad', 'outer_pad', 'message') }}
        from (
            select
                message,
                {{ hmac_pad('key', '36') }} as inner_pad,
                {{ hmac_pad('key', '5c') }} as outer_pad
            from vectors
        ) as padded
    """,
    "pseudonyms": """
        with {{ with_pseudonym_keys('partner_months') }}
        select partner, month, id, {{ pseudonym('vehicle', 'id') }}, {{ pseudonym('client', 'id') }}
        from ids
        cross join pseudonym_keys
    """,
    "source": "select {{ pseudonym_variable('pseudonym_key_source') }} as key_source from ids",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where dbt of this module works: it parses a project once for a path of the warehouse."""
    return tmp_path_factory.mktemp("pseudonyms")


@pytest.fixture(scope="module")
def refused(folder: Path) -> tuple[subprocess.CompletedProcess, bool]:
    """A build with a short key, and whether it has made a warehouse."""
    path = folder / "warehouse.duckdb"
    return run_dbt(["--quiet", "build"], path, env={VARIABLE: "too short"}), path.exists()


@pytest.fixture(scope="module")
def queries(folder: Path, refused: tuple) -> dict[str, str]:
    """The queries as dbt renders them."""
    text = "\n;\n".join(QUERIES.values())
    result = run_dbt(["--quiet", "compile", "--inline", text], folder / "warehouse.duckdb")
    assert result.returncode == 0, result.stdout
    return dict(zip(QUERIES, result.stdout.split(";"), strict=True))


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("create table ids as select unnest(['V1', 'V2', 'ØÆ 3']) as id")
        opened.execute(
            """
            create table partner_months as
            from (values ('p', '2025-06'), ('p', '2025-07'), ('q', '2025-06')) as pairs
                (partner, month)
            """
        )
        yield opened


# --- the hash -------------------------------------------------------------------------------------

# RFC 4231, section 4: key, data, HMAC-SHA-256; the result of the fifth case is cut to 128 bits.
RFC_4231 = [
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (
        b"\xaa" * 20,
        b"\xdd" * 50,
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    ),
    (
        bytes(range(1, 26)),
        b"\xcd" * 50,
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ),
    (b"\x0c" * 20, b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        b"\xaa" * 131,
        b"This is a test using a larger than block-size key and a larger than block-size data. "
        b"The key needs to be hashed before being used by the HMAC algorithm.",
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
]
# A block, and one byte less and more.
BLOCK_EDGES = [
    (bytes(range(length)), b"x", hmac.new(bytes(range(length)), b"x", "sha256").hexdigest())
    for length in (63, 64, 65)
]


@pytest.mark.parametrize(
    ("key", "message", "expected"),
    RFC_4231 + BLOCK_EDGES,
    ids=[*(f"case_{number}" for number in range(1, 8)), "63_bytes", "64_bytes", "65_bytes"],
)
def test_the_hash_is_that_of_the_rfc(queries, database, key, message, expected):
    database.execute("create table vectors as select ? as key, ? as message", [key, message])
    found = database.sql(queries["hmac"]).fetchone()[0]
    assert found[: len(expected)] == expected


def keyed_hash(key: bytes, *parts: str) -> bytes:
    return hmac.new(key, "\x1f".join(parts).encode(), "sha256").digest()


def partner_key(master: bytes, partner: str, month: str, epoch: str = "1") -> bytes:
    return keyed_hash(master, "partner", partner, epoch, month)


def test_pseudonyms_are_those_of_the_definition(queries, database):
    master = os.urandom(70)
    database.execute("set variable pseudonym_master_key = ?", [master])
    rows = database.sql(queries["pseudonyms"]).fetchall()
    assert len(rows) == 9
    for partner, month, id_, *pseudonyms in rows:
        key = partner_key(master, partner, month)
        expected = [keyed_hash(key, domain, id_).hex()[:32] for domain in ("vehicle", "client")]
        assert pseudonyms == expected


def test_no_partner_month_or_domain_shares_a_pseudonym(queries, database):
    database.execute("set variable pseudonym_master_key = ?", [os.urandom(32)])
    rows = database.sql(queries["pseudonyms"]).fetchall()
    assert len({pseudonym for row in rows for pseudonym in row[3:]}) == 18


@pytest.mark.parametrize("name", ["pseudonyms", "source"])
def test_without_a_key_in_the_session_there_is_an_error_and_no_pseudonym(queries, database, name):
    with pytest.raises(duckdb.Error, match=r"The session has no pseudonym_\w+"):
        database.execute(f"create table results as {queries[name]}")


# --- the plugin -----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "x" * (MIN_BYTES - 1), "ø" * (MIN_BYTES // 2 - 1)])
def test_a_short_key_is_refused_without_being_told(text):
    with pytest.raises(DbtRuntimeError, match=rf"has {len(text.encode())} bytes") as error:
        master_key(text)
    assert not text or text not in str(error.value)


@pytest.mark.parametrize("text", ["x" * MIN_BYTES, "ø" * (MIN_BYTES // 2)])
def test_a_key_is_as_long_as_its_bytes(text):
    assert master_key(text) == (text.encode(), "environment")


def test_a_key_that_is_drawn_is_one_for_the_process_and_another_for_the_next():
    key, source = master_key(None)
    assert (len(key), source) == (MIN_BYTES, "ephemeral")
    assert master_key(None)[0] == key
    program = "from ev_charging.pseudonym_key import master_key; print(master_key(None)[0].hex())"
    others = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT / "python_scripts")},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    }
    assert len({*others, f"{key.hex()}\n"}) == 3


def test_every_session_gets_the_key(monkeypatch):
    monkeypatch.setenv(VARIABLE, KEY)
    plugin = Plugin(name="pseudonym_key", plugin_config={})
    with duckdb.connect() as opened:
        for cursor in (opened.cursor(), opened.cursor()):
            plugin.configure_cursor(cursor)
            found = cursor.sql(
                "select getvariable('pseudonym_master_key'), getvariable('pseudonym_key_source')"
            ).fetchone()
            assert found == (KEY.encode(), "environment")


# --- a build --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(warehouse: Path, folder: Path, queries: dict) -> subprocess.CompletedProcess:
    """A copy of the warehouse whose pseudonyms are made with KEY, in the words of a debug log."""
    shutil.copy(warehouse, folder / "warehouse.duckdb")
    result = run_dbt(
        ["--debug", "run", "--select", "int_extracts__pseudonyms", "extract_charging_records"],
        folder / "warehouse.duckdb",
        env={VARIABLE: KEY},
    )
    assert result.returncode == 0, result.stdout
    return result


def traces(key: bytes) -> Iterator[bytes]:
    """The forms in which a key could have been written: itself, hashed, in the pads of HMAC."""
    block = key.ljust(64, b"\0")
    pads = [bytes(byte ^ pad for byte in block) for pad in (0x36, 0x5C)]
    for secret in (key, hashlib.sha256(key).digest(), *pads):
        yield secret
        yield secret.hex().encode()
        yield secret.hex().upper().encode()
        # as DuckDB and Python print bytes
        yield "".join(f"\\x{byte:02X}" for byte in secret).encode()
        yield repr(secret)[2:-1].encode()
        # base64 of a text in which the secret begins at any place
        for offset in range(3):
            encoded = base64.b64encode(b"\0" * offset + secret)
            yield encoded[4 if offset else 0 : -4]
            yield base64.urlsafe_b64encode(b"\0" * offset + secret)[4 if offset else 0 : -4]


def secrets_of(master: bytes, months: list[str]) -> set[bytes]:
    """Traces of a master key and of those of the partners; half of one is enough to be one."""
    keys = [master, *(partner_key(master, p, month) for p in PARTNERS for month in months)]
    found = {trace for key in keys for trace in traces(key)}
    return {trace[: max(16, len(trace) // 2)] for trace in found}


def leaks(contents: dict[str, bytes], secrets: set[bytes]) -> list[str]:
    return sorted(
        name for name, content in contents.items() if any(secret in content for secret in secrets)
    )


def rows_as_text(path: Path) -> dict[str, bytes]:
    """Every row of the tables of extracts, because DuckDB compresses what its file holds."""
    with duckdb.connect(str(path), read_only=True) as opened:
        names = opened.sql(
            """
            select schema_name || '.' || table_name
            from duckdb_tables()
            where table_name like '%extract%'
            """
        ).fetchall()
        return {
            name: repr(opened.sql(f"from {name}").fetchall()).encode("utf-8", "surrogateescape")
            for (name,) in names
        }


def test_the_key_is_in_no_file_no_table_and_no_word_of_a_build(built, folder):
    path = folder / "warehouse.duckdb"
    contents = rows_as_text(path)
    with duckdb.connect(str(path), read_only=True) as opened:
        months = [
            month
            for (month,) in opened.sql(
                "select distinct month from intermediate.int_extracts__pseudonyms"
            ).fetchall()
        ]
    assert months
    contents |= {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    contents |= {"stdout": built.stdout.encode(), "stderr": built.stderr.encode()}
    assert any("dbt.log" in name for name in contents)
    assert any("int_extracts__pseudonyms.sql" in name for name in contents)
    secrets = secrets_of(KEY.encode(), months)
    assert leaks(contents, secrets) == []
    # the search finds what is there
    partner = partner_key(KEY.encode(), PARTNERS[0], months[0])
    pad = bytes(byte ^ 0x5C for byte in partner.ljust(64, b"\0"))
    planted = {
        "plain": KEY.encode(),
        "hex": b"set key = '" + KEY.encode().hex().encode(),
        "base64": base64.b64encode(b"x" + KEY.encode()),
        "pad of a partner": b"..." + pad.hex().encode(),
        "nothing": b"pseudonym_master_key",
    }
    assert leaks(planted, secrets) == sorted(set(planted) - {"nothing"})


def test_pseudonyms_of_a_build_are_those_of_its_key(built, folder):
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as opened:
        rows = opened.sql(
            """
            select partner, month, vehicle_id, vehicle_pseudonym, epoch, key_source
            from intermediate.int_extracts__pseudonyms
            """
        ).fetchall()
        released = opened.sql(
            """
            select distinct partner, month, vehicle_pseudonym
            from extracts.extract_charging_records
            """
        ).fetchall()
    assert {row[0] for row in rows} == set(PARTNERS)
    for partner, month, vehicle_id, pseudonym, epoch, source in rows:
        key = partner_key(KEY.encode(), partner, month, epoch)
        assert pseudonym == keyed_hash(key, "vehicle", vehicle_id).hex()[:32]
        assert source == "environment"
    assert sorted(released) == sorted((row[0], row[1], row[3]) for row in rows)
    assert "made with the key in EV_PSEUDONYM_KEY" in built.stdout


def test_without_a_key_the_build_says_that_it_is_lost(built, folder, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    path = folder / "warehouse.duckdb"
    result = run_dbt(["run", "--select", "int_extracts__pseudonyms"], path)
    assert result.returncode == 0, result.stdout
    assert "EV_PSEUDONYM_KEY is not set" in result.stdout
    assert "ephemeral" in result.stdout
    with duckdb.connect(str(path), read_only=True) as opened:
        sources = opened.sql(
            "select distinct key_source from intermediate.int_extracts__pseudonyms"
        ).fetchall()
    assert sources == [("ephemeral",)]


def test_a_short_key_stops_the_build_before_there_is_a_warehouse(refused):
    result, has_made_a_warehouse = refused
    assert result.returncode != 0
    lines = [line for line in result.stdout.splitlines() if VARIABLE in line]
    assert len(lines) == 1
    assert "has 9 bytes and needs 32 or more" in lines[0]
    assert "too short" not in result.stdout + result.stderr
    assert not has_made_a_warehouse
