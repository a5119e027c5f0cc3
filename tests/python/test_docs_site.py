"""The docs site as a reader sees it, in a browser without a window."""

import json
import re
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dbt_runner import PROJECT_ROOT

PLOTS = {"daily_load.png", "load_heat_map.png", "session_distributions.png"}
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


@pytest.fixture(scope="module")
def overview(browser, site_url: str):
    """The element of the overview page that holds the rendered text."""
    return _open(browser, f"{site_url}#!/overview", "div.panel-body", "EV charging warehouse")


def test_overview_has_its_sections(overview) -> None:
    """The overview is rendered as headings and tables, not as the text of its source."""
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
    assert len(overview.find_elements("css selector", "table")) == 4


def test_overview_shows_the_plots(browser, overview) -> None:
    """Every image has arrived and is one of the plots."""
    from selenium.webdriver.support.ui import WebDriverWait

    images = overview.find_elements("css selector", "img")
    WebDriverWait(browser, WAIT_SECONDS).until(
        lambda _: all(image.get_property("complete") for image in images)
    )
    widths = {
        image.get_property("src").rsplit("/", 1)[-1]: image.get_property("naturalWidth")
        for image in images
    }
    assert set(widths) == PLOTS
    assert all(width > 0 for width in widths.values()), widths


def test_overview_links_lead_somewhere(overview, docs_site: Path, site_url: str) -> None:
    """Every link is a page of this site, and its model or project is there."""
    manifest = json.loads((docs_site / "manifest.json").read_text())
    links = [link.get_property("href") for link in overview.find_elements("css selector", "a")]
    page = re.compile(re.escape(site_url) + r"#!/(?:model|overview)/([\w.]+)")
    pages = [page.fullmatch(link) for link in links]
    assert links
    assert [link for link, found in zip(links, pages, strict=True) if found is None] == []
    known = {*manifest["nodes"], manifest["metadata"]["project_name"]}
    assert {found[1] for found in pages} - known == set()


def test_overview_lists_every_mart_and_function(docs_site: Path) -> None:
    """No model of the marts is left out of the overview."""
    manifest = json.loads((docs_site / "manifest.json").read_text())
    marts = {
        name
        for name, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and node["path"].startswith("marts/")
    }
    linked = set(re.findall(r"#!/model/([\w.]+)", _overview_source()))
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


def test_queries_of_the_overview_run(connection) -> None:
    """Every query that the overview shows can be run, and finds rows."""
    blocks = re.findall(r"```sql\n(.+?)```", _overview_source(), re.S)
    queries = [query for block in blocks for query in block.split(";") if query.strip()]
    assert len(queries) > 10
    for query in queries:
        assert connection.execute(query).fetchall(), query


def _overview_source() -> str:
    return (PROJECT_ROOT / "models" / "overview" / "overview.md").read_text()


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
