"""A real browser for tests: Debian's chromium, driven by playwright. Without either, the tests are skipped."""
import shutil

import pytest

MISSING = "no browser: install chromium (apt-get install chromium) and playwright (pip install playwright)"


@pytest.fixture(scope="session")
def chromium():
    """A running chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason=MISSING)
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip(MISSING)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture()
def browse(chromium):
    """Return `browse(path, width=1200, query="")`: a tab that shows a page from disk; a page error fails the test."""
    tabs, errors = [], []

    def opened(path, width=1200, query=""):
        tab = chromium.new_page(viewport={"width": width, "height": 900})
        tabs.append(tab)
        tab.set_default_timeout(10_000)
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        tab.goto(path.resolve().as_uri() + query)
        return tab

    yield opened
    for tab in tabs:
        tab.close()
    assert not errors
