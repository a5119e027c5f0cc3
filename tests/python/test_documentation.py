"""Everything that a reader of the docs site or of the project can come across is described."""

import json
import re
import shutil
from collections.abc import Iterator

import duckdb
import jinja2
import pytest
import yaml

from dbt_runner import PROJECT_ROOT, run_dbt

PROJECT = "ev_charging"
# A test that nobody named is called <test>_<model>_<columns> by dbt.
WORDS_OF_A_SENTENCE = 3
FUNCTION = "table_function"
# dbt gives these to every generic test.
GIVEN_TO_TESTS = {"model", "column_name"}
JINJA = jinja2.Environment(extensions=["jinja2.ext.do"])


# --- the check ------------------------------------------------------------------------------------


def gaps(
    manifest: dict, built: dict[tuple[str, str], set[str]], variables: dict, vars_text: str
) -> list[str]:
    """What lacks a description, one line each.

    Args:
        manifest: dbt's manifest.
        built: columns of each relation of the warehouse, by schema and name.
        variables: the vars of the project with their defaults.
        vars_text: the page that describes the vars.
    """
    nodes = [node for node in manifest["nodes"].values() if node["package_name"] == PROJECT]
    of_type = {
        kind: [node for node in nodes if node["resource_type"] == kind]
        for kind in ("model", "seed", "snapshot", "analysis", "test")
    }
    relations = of_type["model"] + of_type["seed"] + of_type["snapshot"]
    exposures = list(manifest["exposures"].values())
    unit_tests = list(manifest["unit_tests"].values())
    macros = [m for m in manifest["macros"].values() if m["package_name"] == PROJECT]
    singular = [test for test in of_type["test"] if not test.get("test_metadata")]
    return [
        *(
            f"{node['resource_type']} {node['name']} has no description"
            for node in [*relations, *of_type["analysis"], *exposures, *macros, *singular]
            if not _is_text(node["description"])
        ),
        *(gap for node in relations for gap in _column_gaps(node, built)),
        *(gap for macro in macros for gap in _argument_gaps(macro)),
        *(gap for test in [*of_type["test"], *unit_tests] for gap in _name_gaps(test)),
        *_var_gaps(variables, vars_text),
    ]


def _is_text(text: str | None) -> bool:
    return bool((text or "").strip())


def _column_gaps(node: dict, built: dict[tuple[str, str], set[str]]) -> Iterator[str]:
    label = f"{node['resource_type']} {node['name']}"
    columns = node["columns"]
    for name, column in columns.items():
        if not _is_text(column["description"]):
            yield f"{label}: column {name} has no description"
    relation = (node["schema"], node.get("alias") or node["name"])
    if node["config"]["materialized"] == "ephemeral":
        return
    if relation not in built:
        yield f"{label} is not in the warehouse as {'.'.join(relation)}"
        return
    for name in sorted(built[relation] - set(columns)):
        yield f"{label}: column {name} has no description"
    for name in sorted(set(columns) - built[relation]):
        yield f"{label}: column {name} is described but not there"


def _argument_gaps(macro: dict) -> Iterator[str]:
    label = f"macro {macro['name']}"
    signature = _signature(macro["macro_sql"])
    if macro["name"].startswith("test_"):
        # dbt doesn't read arguments of a generic test: its description lists them.
        for name in signature:
            if name not in GIVEN_TO_TESTS and f"- `{name}` " not in macro["description"]:
                yield f"{label}: argument {name} has no description"
        return
    described = {argument["name"]: argument["description"] for argument in macro["arguments"]}
    for name in signature:
        if not _is_text(described.get(name)):
            yield f"{label}: argument {name} has no description"
    for name in sorted(set(described) - set(signature)):
        yield f"{label}: argument {name} is described but not there"


def _signature(macro_sql: str) -> list[str]:
    head = re.search(r"\{%-?\s*(macro|test|materialization)\s+(.+?)-?%\}", macro_sql, re.S)
    if head is None or head[1] == "materialization":
        return []
    tree = JINJA.parse(f"{{% macro {head[2]} %}}{{% endmacro %}}")
    return [argument.name for argument in tree.body[0].args]


def _name_gaps(test: dict) -> Iterator[str]:
    label = f"{test['resource_type']} {test['name']}"
    if len([word for word in test["name"].split("_") if word]) < WORDS_OF_A_SENTENCE:
        yield f"{label}: its name is no sentence"
    metadata = test.get("test_metadata")
    if metadata:
        model = test["attached_node"].rpartition(".")[2] if test.get("attached_node") else ""
        if test["name"].startswith(f"{metadata['name']}_{model}"):
            yield f"{label}: its name is the one that dbt made up"


def _var_gaps(variables: dict, vars_text: str) -> Iterator[str]:
    # name, default, unit, meaning
    described = re.findall(r"^\| `(\w+)` \|[^|]*\|[^|]*\| *[^|\s]", vars_text, re.M)
    for name in variables:
        if name not in described:
            yield f"var {name} is not described in vars.md"
    for name in described:
        if name not in variables:
            yield f"var {name} is described in vars.md but not there"


# --- the project ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The manifest of the project."""
    folder = tmp_path_factory.mktemp("parse")
    result = run_dbt(["parse"], folder / "warehouse.duckdb")
    assert result.returncode == 0, result.stdout
    return json.loads((folder / "target" / "manifest.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def built(manifest: dict, connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], set[str]]:
    """Columns of each table, view and table function of the warehouse."""
    columns: dict[tuple[str, str], set[str]] = {}
    for schema, name, column in connection.execute(
        "select table_schema, table_name, column_name from information_schema.columns"
    ).fetchall():
        columns.setdefault((schema, name), set()).add(column)
    for node in manifest["nodes"].values():
        if node["config"].get("materialized") == FUNCTION:
            required = [
                "null" for parameter in node["config"]["parameters"] if ":=" not in parameter
            ]
            call = f"{node['schema']}.{node['alias']}({', '.join(required)})"
            described = connection.execute(f"describe select * from {call}").fetchall()
            columns[node["schema"], node["alias"]] = {row[0] for row in described}
    return columns


def project_variables() -> dict:
    return yaml.safe_load((PROJECT_ROOT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]


def vars_page() -> str:
    path = PROJECT_ROOT / "models" / "overview" / "vars.md"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def test_everything_is_described(manifest, built):
    found = gaps(manifest, built, project_variables(), vars_page())
    assert found == [], "\n" + "\n".join(found)


def test_the_check_sees_the_project(manifest, built):
    kinds = {node["resource_type"] for node in manifest["nodes"].values()}
    assert {"model", "seed", "analysis", "test"} <= kinds
    assert manifest["unit_tests"]
    assert any(macro["package_name"] == PROJECT for macro in manifest["macros"].values())
    assert ("kpi", "total_energy") in built
    assert ("core", "fct_charging_sessions") in built


def test_vars_show_the_defaults_that_they_have():
    variables, page = project_variables(), vars_page()
    shown = dict(re.findall(r"^\| `(\w+)` \| `(.+?)` \|", page, re.M))
    differing = [
        f"{name}: {shown[name]} in vars.md, {value} in dbt_project.yml"
        for name, value in variables.items()
        if name in shown and yaml.safe_load(shown[name]) != yaml.safe_load(str_of(value))
    ]
    assert differing == [], "\n".join(differing)


def str_of(value: object) -> str:
    """A default as it is written in the page."""
    return value if isinstance(value, str) else json.dumps(value)


def test_every_view_can_be_read_in_a_copy_under_another_name(warehouse, tmp_path):
    renamed = shutil.copyfile(warehouse, tmp_path / "renamed.duckdb")
    with duckdb.connect(str(renamed), read_only=True) as connection:
        views = connection.execute(
            "select schema_name, view_name from duckdb_views() where not internal"
        ).fetchall()
        assert len(views) > 10
        for schema, view in views:
            connection.execute(f"select * from {schema}.{view} limit 1").fetchall()


# --- the check can fail ---------------------------------------------------------------------------


def node(kind: str, name: str, description: str = "Told.", **more) -> dict:
    return {
        "package_name": PROJECT,
        "resource_type": kind,
        "name": name,
        "alias": name,
        "schema": "core",
        "description": description,
        "columns": {},
        "config": {"materialized": "table"},
    } | more


def macro(name: str, head: str, description: str = "Told.", **arguments: str) -> dict:
    return {
        "package_name": PROJECT,
        "resource_type": "macro",
        "name": name,
        "macro_sql": f"{{% {head} %}} {{% do x %}} {{% end %}}",
        "description": description,
        "arguments": [{"name": key, "description": text} for key, text in arguments.items()],
    }


def check(
    *nodes: dict,
    macros: tuple = (),
    exposures: tuple = (),
    unit_tests: tuple = (),
    built: dict | None = None,
    variables: dict | None = None,
    page: str = "",
) -> list[str]:
    """Gaps of a manifest of these."""

    def keyed(items: tuple) -> dict:
        return {str(place): item for place, item in enumerate(items)}

    manifest = {
        "nodes": keyed(nodes),
        "macros": keyed(macros),
        "exposures": keyed(exposures),
        "unit_tests": keyed(unit_tests),
    }
    return gaps(manifest, built or {}, variables or {}, page)


TOLD = {"description": "Told."}
UNTOLD = {"description": " "}
GENERIC = {"test_metadata": {"name": "unique"}, "attached_node": "model.ev_charging.cars"}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (
            check(node("model", "cars", ""), built={("core", "cars"): set()}),
            ["model cars has no description"],
        ),
        (
            check(node("seed", "cars", columns={"a": UNTOLD}), built={("core", "cars"): {"a"}}),
            ["seed cars: column a has no description"],
        ),
        (
            check(
                node("model", "cars", columns={"a": TOLD, "c": TOLD}),
                built={("core", "cars"): {"a", "b"}},
            ),
            [
                "model cars: column b has no description",
                "model cars: column c is described but not there",
            ],
        ),
        (
            check(node("model", "cars", schema="load"), built={("core", "cars"): set()}),
            ["model cars is not in the warehouse as load.cars"],
        ),
        (check(node("analysis", "why", "")), ["analysis why has no description"]),
        (check(exposures=(node("exposure", "site", ""),)), ["exposure site has no description"]),
        (
            check(node("test", "every_car_drives", "")),
            ["test every_car_drives has no description"],
        ),
        (check(node("test", "cars_drive")), ["test cars_drive: its name is no sentence"]),
        (
            check(node("test", "unique_cars_car_id", "", **GENERIC)),
            ["test unique_cars_car_id: its name is the one that dbt made up"],
        ),
        (check(node("test", "every_car_is_there_once", "", **GENERIC)), []),
        (
            check(unit_tests=(node("unit_test", "rounding", ""),)),
            ["unit_test rounding: its name is no sentence"],
        ),
        (check(macros=(macro("f", "macro f()", ""),)), ["macro f has no description"]),
        (
            check(macros=(macro("f", "macro f(a, b=[1, 2])", a="Told.", c="Told."),)),
            [
                "macro f: argument b has no description",
                "macro f: argument c is described but not there",
            ],
        ),
        (
            check(macros=(macro("test_f", "test f(model, column_name, a, b)", "- `a` told"),)),
            ["macro test_f: argument b has no description"],
        ),
        (
            check(
                variables={"a": 1, "b": 2},
                page="| `a` | `1` | | Told. |\n| `b` | `2` | | |\n| `c` | `3` | kW | Told. |",
            ),
            [
                "var b is not described in vars.md",
                "var c is described in vars.md but not there",
            ],
        ),
    ],
)
def test_a_gap_is_found(found, expected):
    assert found == expected


def test_what_belongs_to_other_packages_is_not_checked():
    foreign = node("model", "cars", "") | {"package_name": "dbt"}
    assert check(foreign, macros=(macro("f", "macro f(a)", "") | {"package_name": "dbt"},)) == []
