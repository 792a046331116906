"""The page in a real browser, before real processes."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.chromium import QUIET
from tests.browser.system import System, gateway
from tests.e2e.processes import ROOT, free_port

FOLDER = Path(__file__).parent
CHROMIUM = shutil.which("chromium")
_SYSTEM = System()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item, nextitem):
    """End the services after the last test of this folder, when its page is closed."""
    if nextitem is None or FOLDER not in nextitem.path.parents:
        _SYSTEM.stop()


@pytest.fixture
def services(tmp_path_factory):
    """The address of each service by modality; started by the first test that asks."""
    if CHROMIUM is None:
        pytest.skip("no chromium is installed")
    if _SYSTEM.address is None:
        _SYSTEM.start(tmp_path_factory.mktemp("gateway"))
    return dict(_SYSTEM.services)


@pytest.fixture
def system(services):
    """The address of an open gateway."""
    return _SYSTEM.address


@pytest.fixture
def broken_system(services, tmp_path):
    """The address of a gateway whose ECG service does not run."""
    nobody = f"http://127.0.0.1:{free_port()}"
    with gateway(services | {"ecg": nobody}, tmp_path, down="ecg") as address:
        yield address


@pytest.fixture
def locked_system(services, tmp_path):
    """The address of a gateway that needs an API key, and the key."""
    made = subprocess.run(
        [sys.executable, "-m", "gateway", "keys", "make", "--name", "page"],
        cwd=ROOT,
        env=os.environ | {"GATEWAY_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    (key,) = re.findall(r"\bmf_\S+", made.stdout)
    with gateway(services, tmp_path) as address:
        yield address, key


@pytest.fixture(scope="module")
def browser():
    # Not longer than the module: while it is open, its event loop runs in this thread.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(QUIET), timeout=180_000
        )
        yield browser
        browser.close()


def is_fault(message):
    """True for an error in the console.

    A refusal by the API is none, nor a gateway that ends before the page: the page explains both.
    """
    is_explained = "/v1/" in message.location["url"] or message.location["url"].endswith("/health")
    is_refusal = "Failed to load resource" in message.text and is_explained
    return message.type == "error" and not is_refusal


@pytest.fixture
def open_page(request, browser):
    """Open the page; at the end no script may have failed and no policy been broken."""
    faults = []
    with contextlib.ExitStack() as stack:

        def opened(address=None, **options):
            base = address or request.getfixturevalue("system")
            context = browser.new_context(base_url=base, **options)
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(120_000)
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on("console", lambda message: is_fault(message) and faults.append(message.text))
            page.goto("/ui")
            if options.get("java_script_enabled", True):
                page.wait_for_selector("body[data-state=ready]")
                page.wait_for_selector("#status li")
            return page

        yield opened
    assert not faults


@pytest.fixture
def page(open_page):
    return open_page()
