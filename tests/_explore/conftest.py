"""The page of `izhnumba explore` in headless Chromium, which every test begins anew."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from izhnumba.cli._explore import page as explorer

QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


class Page:
    """The page in a tab: what it said, and what it asked for besides itself."""

    def __init__(self, tab, address):
        self.tab, self.address, self.said, self.asked = tab, address, [], []
        tab.on("console", lambda message: self.said.append(message.text))
        tab.on("pageerror", lambda error: self.said.append(str(error)))
        tab.on("request", lambda request: self.asked.append(request.url))

    def open(self, address=""):
        self.tab.goto("about:blank")
        self.tab.goto(self.address + address)  # which has drawn when it has loaded
        return self

    def settle(self):
        """Wait until the URL, the f-I curve and the network have followed."""
        self.tab.wait_for_function("waiting === 0 && !curveIsDue", timeout=60_000)

    def do(self, script, *arguments):
        return self.tab.evaluate(script, *arguments)

    def box(self, name):
        return self.tab.locator(f'[data-box="{name}"]')

    def slider(self, name):
        return self.tab.locator(f'[data-slider="{name}"]')

    def choose(self, name, value):
        select = self.tab.locator(f'[data-select="{name}"]')
        select.focus()
        select.select_option(value)

    def text(self, id):
        return self.tab.locator(f"#{id}").inner_text()


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    return explorer.write(tmp_path_factory.mktemp("explore") / "explore.html").as_uri()


@pytest.fixture(scope="session")
def chromium():
    sync_api = pytest.importorskip("playwright.sync_api")
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_api.sync_playwright() as playwright:
        path = path or playwright.chromium.executable_path
        if not Path(path).exists():
            pytest.skip("there is no Chromium here")
        browser = playwright.chromium.launch(executable_path=path, args=QUIET, env={**os.environ, "LANG": "C.UTF-8"})
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def shared(chromium, address):
    """A tab for tests that only call its functions."""
    tab = chromium.new_page()
    yield Page(tab, address).open()
    tab.close()


@pytest.fixture
def new_page(chromium, address):
    """`new_page(viewport=..., ...)`: a tab of its own; after the test it has said nothing and asked for nothing."""
    contexts, pages = [], []

    def new_page(**options):
        contexts.append(chromium.new_context(**{"viewport": {"width": 1440, "height": 900}} | options))
        contexts[-1].set_offline(True)
        pages.append(Page(contexts[-1].new_page(), address))
        return pages[-1]

    yield new_page
    for page in pages:
        page.do("1")  # what it was about to say has been said
        assert page.said == []
        assert {url.partition("#")[0] for url in page.asked} <= {address, "about:blank", "data:,"}
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page):
    return new_page().open()
