"""The docs site as a reader sees it, in a browser without a window."""

import json
import math
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom, norm
from statsmodels.stats.proportion import proportion_confint

from dbt_runner import PROJECT_ROOT
from ev_charging.experiment.arm import Arm
from ev_charging.experiment.decision import STATES
from ev_charging.experiment.power import design_effect, effective_sessions
from ev_charging.experiment.results import FAMILIES, NAIVE
from ev_charging.release.refusals import ExitCode
from ev_charging.simulation.config import CONTROLLERS, DISPATCH_MODES, MODES

pytestmark = pytest.mark.builds

EXPERIMENT = "exposure/exposure.ev_charging.how_to_read_an_experiment"
RELIABILITY = "exposure/exposure.ev_charging.how_to_read_reliability"
FLEET = "exposure/exposure.ev_charging.how_to_read_fleet"
MOBILITY = "exposure/exposure.ev_charging.how_to_read_mobility"
EXTRACTS = "exposure/exposure.ev_charging.how_to_read_extracts"
MOBILITY_PLOTS = {"drive_lengths.png", "consumption_by_type.png", "soc_timeline.png"}
FLEET_PLOTS = {
    "soc_by_archetype.png",
    "power_by_archetype.png",
    "controllers.png",
    "coincidence.png",
}
# Address of each page, and the plots on it.
PAGES = {
    "overview": {
        "daily_load.png",
        "load_heat_map.png",
        "session_distributions.png",
        "charging_costs.png",
        "effect_by_method.png",
        "station_success.png",
        "failure_reasons.png",
        "port_uptime.png",
        "charge_start_time.png",
    }
    | FLEET_PLOTS
    | MOBILITY_PLOTS,
    FLEET: FLEET_PLOTS,
    MOBILITY: MOBILITY_PLOTS,
    EXTRACTS: set(),
    RELIABILITY: {
        "station_success.png",
        "failure_reasons.png",
        "port_uptime.png",
        "charge_start_time.png",
    },
    EXPERIMENT: {
        "charging_costs.png",
        "daily_looks.png",
        "effect_by_method.png",
        "energy_per_user.png",
        "power_curve.png",
        "sessions_by_hour.png",
    },
}
# A text at the end of each page: once it is there, so is the rest.
ENDS = {
    "overview": "Reading quality.rejected_rows",
    EXPERIMENT: "Limits of this build",
    RELIABILITY: "Limits of this build",
    FLEET: "Limits of this build",
    MOBILITY: "Limits of this build",
    EXTRACTS: "Limits of this build",
}
SOURCES = [
    "overview.md",
    "experiment.md",
    "reliability.md",
    "fleet.md",
    "mobility.md",
    "extracts.md",
]
WAIT_SECONDS = 30


class _SilentHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args) -> None:
        """Keep the requests out of the test report."""


@pytest.fixture(scope="module")
def site_url(docs_site: Path) -> Iterator[str]:
    """Address of the docs site on this machine."""
    handler = partial(_SilentHandler, directory=str(docs_site))
    # Port 0: whichever is free.
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """Headless Chromium that reaches nothing but this machine."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("chromium or chromedriver is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        "--window-size=1400,1000",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(argument)
    # With the path of the driver, selenium has nothing to look for or to download.
    opened = webdriver.Chrome(
        options=options, service=webdriver.ChromeService(executable_path=driver)
    )
    yield opened
    opened.quit()


@pytest.fixture
def open_page(browser, site_url: str) -> Callable:
    """Return what opens a page by its address: the element that holds the rendered text."""
    return lambda name: _open(browser, f"{site_url}#!/{name}", "div.panel-body", ENDS[name])


def test_overview_has_its_sections(open_page) -> None:
    """The overview is rendered as headings and tables, not as the text of its source."""
    overview = open_page("overview")
    headings = [heading.text for heading in overview.find_elements("css selector", "h2")]
    assert headings == [
        "Which table answers which question",
        "Load profiles",
        "Schemas",
        "Plots",
        "KPI functions",
        "Your own data",
        "Reading quality.rejected_rows",
    ]
    assert len(overview.find_elements("css selector", "table")) == 5


def test_experiment_page_has_its_sections(open_page) -> None:
    """The page is rendered too, with the limits of the build in place of their names."""
    page = open_page(EXPERIMENT)
    headings = [heading.text for heading in page.find_elements("css selector", "h2")]
    assert headings == [
        "Hypothesis and key figures",
        "Design",
        "Before the first day: how many users?",
        "First look: can the figures be trusted?",
        "Is there an effect? And why are some rows wrong?",
        "May we look before the end?",
        "Does it work for everybody?",
        "The decision",
        "What it saves",
        "Next steps",
        "Limits of this build",
    ]
    limits = [row.text for row in page.find_elements("css selector", "tr")]
    assert "local days before a decision, at least 14" in limits


def test_reliability_page_has_its_sections(open_page) -> None:
    """The page is rendered too, with the limits of the build in place of their names."""
    page = open_page(RELIABILITY)
    headings = [heading.text for heading in page.find_elements("css selector", "h2")]
    assert headings == [
        "What is counted",
        "Does charging work when somebody tries?",
        "How long is the wait for power?",
        "Does the driver drive away charged?",
        "Why do sessions fail?",
        "Which stations are bad, and which only look bad?",
        "Is the charger there at all?",
        "Can the messages be trusted?",
        "What the figures don't say",
        "Sources",
        "Limits of this build",
    ]
    limits = [row.text for row in page.find_elements("css selector", "tr")]
    assert "uptime that a port must be above, % 97" in limits


def test_fleet_page_has_its_sections(open_page) -> None:
    """The page is rendered too, with the limits of the build in place of their names."""
    page = open_page(FLEET)
    headings = [heading.text for heading in page.find_elements("css selector", "h2")]
    assert headings == [
        "What is simulated",
        "Can the sessions be trusted?",
        "When are the cars there?",
        "How full are the batteries?",
        "What does the fleet draw?",
        "Was a dispatch delivered?",
        "Which controller is better?",
        "Is the simulation like life?",
        "A fleet of your own",
        "What the figures don't say",
        "Sources",
        "Limits of this build",
    ]
    limits = [row.text for row in page.find_elements("css selector", "tr")]
    assert "run that the others are compared with uncontrolled" in limits
    assert "like days of a baseline, weekdays 10" in limits


def test_mobility_page_has_its_sections(open_page) -> None:
    """The page is rendered too, with the limits of the build in place of their names."""
    page = open_page(MOBILITY)
    headings = [heading.text for heading in page.find_elements("css selector", "h2")]
    assert headings == [
        "What a timeline is",
        "Can the logs be trusted?",
        "When do vehicles drive far?",
        "Which vehicles are hungry?",
        "Which batteries are used, and which lose charge?",
        "How fast do batteries age?",
        "What the figures don't say",
        "Sources",
        "Limits of this build",
    ]
    limits = [row.text for row in page.find_elements("css selector", "tr")]
    assert "a drive is long above, km 100" in limits
    periods = "night 0, morning 6, afternoon 11, evening 17"
    assert f"periods of the day and their first hours {periods}" in limits


def test_extracts_page_has_its_sections(open_page) -> None:
    """The page is rendered too, with the limits of the build in place of their names."""
    page = open_page(EXTRACTS)
    headings = [heading.text for heading in page.find_elements("css selector", "h2")]
    assert headings == [
        "Who gets what",
        "Why the records are personal data",
        "Why the aggregates are anonymous",
        "What the sender must still do",
        "Make a release",
        "What the rules don't promise",
        "Sources",
        "Limits of this build",
    ]
    limits = [row.text for row in page.find_elements("css selector", "tr")]
    assert "vehicles of a cell, and of those that share a set of rows, at least 11" in limits


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_its_plots(browser, open_page, name) -> None:
    """Every image has arrived and is one of the plots."""
    from selenium.webdriver.support.ui import WebDriverWait

    images = open_page(name).find_elements("css selector", "img")
    WebDriverWait(browser, WAIT_SECONDS).until(
        lambda _: all(image.get_property("complete") for image in images)
    )
    widths = {
        image.get_property("src").rsplit("/", 1)[-1]: image.get_property("naturalWidth")
        for image in images
    }
    assert set(widths) == PAGES[name]
    assert all(width > 0 for width in widths.values()), widths


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(open_page, docs_site: Path, site_url: str, name) -> None:
    """Every link is a page of this site, and its model, seed, exposure or project is there."""
    manifest = json.loads((docs_site / "manifest.json").read_text())
    elements = open_page(name).find_elements("css selector", "a")
    links = [link.get_property("href") for link in elements]
    page = re.compile(re.escape(site_url) + r"#!/(model|seed|exposure|overview)/([\w.]+)")
    pages = [page.fullmatch(link) for link in links]
    assert links
    assert [link for link, found in zip(links, pages, strict=True) if found is None] == []
    known = {("overview", manifest["metadata"]["project_name"])} | {
        (node["resource_type"], key)
        for kind in ("nodes", "exposures")
        for key, node in manifest[kind].items()
    }
    assert {found.groups() for found in pages} - known == set()


def test_overview_lists_every_mart_and_function(docs_site: Path) -> None:
    """No model of the marts is left out of the overview."""
    manifest = json.loads((docs_site / "manifest.json").read_text())
    marts = {
        name
        for name, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and node["path"].startswith("marts/")
    }
    linked = set(re.findall(r"#!/model/([\w.]+)", _source("overview.md")))
    assert marts - linked == set()


def test_model_page_shows_its_columns(browser, site_url: str) -> None:
    """The page of a mart lists its columns with the types that they have in the warehouse."""
    page = _open(
        browser,
        f"{site_url}#!/model/model.ev_charging.daily_load",
        "div.app-content",
        "mean_energy_7_days_kwh",
    )
    rows = [row.text.split()[:2] for row in page.find_elements("css selector", "tr")]
    for column in (["date_key", "DATE"], ["energy_kwh", "DECIMAL(18,6)"], ["has_data", "BOOLEAN"]):
        assert column in rows


@pytest.mark.parametrize("name", SOURCES)
def test_queries_of_a_page_run(connection, name) -> None:
    """Every query that a page shows can be run, and finds rows."""
    blocks = re.findall(r"```sql\n(.+?)```", _source(name), re.S)
    queries = [query for block in blocks for query in block.split(";") if query.strip()]
    assert len(queries) >= 8
    for query in queries:
        assert connection.execute(query).fetchall(), query


def test_experiment_page_explains_what_the_tables_say(connection) -> None:
    """States in the order of the rules, valid methods, and checks: each has a row."""
    tables = re.findall(r"^\| (`.+?`) \|", _source("experiment.md"), re.M)
    explained = [name for cell in tables for name in re.findall(r"`(\w+)`", cell)]
    valid = [name for name, family in FAMILIES.items() if family != NAIVE]
    checks = connection.execute("select distinct check_name from experiment.experiment_health")
    found = [name for name in explained if name in STATES]
    assert found == list(STATES)
    assert {*STATES, *valid, *(name for (name,) in checks.fetchall())} == set(explained)


def test_worked_example_is_what_the_methods_compute() -> None:
    """100 people with 10 sessions each, half of them always at night, the others never."""
    people, sessions, night = 100, 10, 0.5
    users = Arm(sessions * (np.arange(people) % 2), np.full(people, sessions))
    naive_error = math.sqrt(night * (1 - night) / (people * sessions))
    error = math.sqrt(users.ratio_variance)
    lost = design_effect(error, naive_error)
    text = " ".join(_source("experiment.md").split())
    assert users.ratio == night
    for this_error in (naive_error, error):
        points = round(100 * norm.ppf(0.975) * this_error)
        assert f"give or take {points} percentage points" in text
    assert f"Here it is {lost:.0f}, so that 1,000 sessions" in text
    worth = effective_sessions(people * sessions, lost)
    assert f"information as {round(worth, -1):.0f} independent ones" in text
    owls = int(re.search(r"find (\d+) night owls", text)[1])
    assert binom.sf(owls - 1, people, night) > 0.1
    assert norm.sf((owls / people - night) / naive_error) < 0.001


def test_reliability_page_explains_what_the_tables_say(connection) -> None:
    """Every reason for which a session or an attempt fails has a row."""
    tables = re.findall(r"^\| `(.+?)` \|", _source("reliability.md"), re.M)
    found = connection.execute(
        "select failure_class from reliability.station_failures "
        "union select failure_reason from reliability.fct_charge_attempts "
        "where failure_reason not like 'stopped:%'"
    )
    assert {reason for (reason,) in found.fetchall()} <= set(tables)


def test_figures_of_the_reliability_page_are_what_the_formulas_give() -> None:
    """Of the Wilson interval, and of 25 looks at a 95 % interval."""
    text = " ".join(_source("reliability.md").split())
    for successes, sessions in ((4, 5), (4_000, 5_000)):
        low, high = proportion_confint(successes, sessions, method="wilson")
        assert f"{successes:,} of {sessions:,}" in text
        assert f"{100 * low:.0f} to {100 * high:.0f} %" in text
    assert f"different are {100 * binom.sf(0, 25, 0.05):.0f} %" in text


def test_fleet_page_explains_controllers_and_dispatches(connection) -> None:
    """Every controller, mode and status that can be has its word on the page."""
    words = set(re.findall(r"`(\w+)`", _source("fleet.md")))
    found = connection.execute(
        "select status from fleet.dispatch_delivery union select mode from fleet.dispatch_delivery"
    )
    assert {*CONTROLLERS, *DISPATCH_MODES, *MODES} <= words
    assert {word for (word,) in found.fetchall()} <= words


def test_mobility_page_explains_segments_and_sessions(connection) -> None:
    """Every kind of segment, completeness and reason that can be has its word on the page."""
    words = set(re.findall(r"`(\w+)`", _source("mobility.md")))
    found = connection.execute(
        "select segment_kind from intermediate.int_telematics__timeline "
        "union select completeness from mobility.session_indicators "
        "union select incomplete_reason from mobility.session_indicators"
    )
    assert {word for (word,) in found.fetchall() if word is not None} <= words


def test_extracts_page_names_every_reason_and_every_exit_code(connection) -> None:
    """Why a cell is hidden and why a release is refused stands in a table."""
    text = _source("extracts.md")
    reasons = connection.execute(
        "select distinct hidden_reason from quality.extract_audit where hidden_reason is not null"
    )
    words = set(re.findall(r"`(\w+)`", text))
    assert {reason for (reason,) in reasons.fetchall()} <= words
    codes = re.findall(r"^\| (\d+) \|", text, re.M)
    assert codes == [str(code.value) for code in ExitCode]


def _source(name: str) -> str:
    return (PROJECT_ROOT / "models" / "overview" / name).read_text()


def _open(browser, url: str, selector: str, text: str):
    """Return the visible element of a page once it shows `text`."""
    from selenium.webdriver.support.ui import WebDriverWait

    browser.get(url)

    def find(_):
        for element in browser.find_elements("css selector", selector):
            if element.is_displayed() and text in element.text:
                return element
        return None

    return WebDriverWait(browser, WAIT_SECONDS).until(find, f"{url} never showed {text!r}")
