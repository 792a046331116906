"""The page in a real browser, before real processes: two tables, a chest X-ray, a dead ECG."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.e2e.processes import ROOT, free_port, start, wait_ready

CHROMIUM = shutil.which("chromium")
#: Nothing of the browser's own may go to the network.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MODELS = {
    "chest-xray": ("vision_service", "models/chest-xray/v1.pth"),
    "symptoms": ("tabular_service", "models/symptoms/v1.skops"),
    "heart-risk": ("tabular_service", "models/heart-risk/v1.skops"),
}


@pytest.fixture(scope="module")
def services():
    """The addresses of the services by modality; at that of the ECG nobody listens."""
    if CHROMIUM is None:
        pytest.skip("no chromium is installed")
    missing = [path for _, path in MODELS.values() if not (ROOT / path).exists()]
    if missing:
        pytest.skip(f"not released yet: {', '.join(missing)}")
    ports = {name: free_port() for name in (*MODELS, "ecg")}
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    processes = [
        start(
            module,
            SERVICE_MODALITY=name,
            SERVICE_CHECKPOINT=str(ROOT / path),
            SERVICE_HOST="127.0.0.1",
            SERVICE_PORT=str(ports[name]),
        )
        for name, (module, path) in MODELS.items()
    ]
    try:
        for name in MODELS:
            wait_ready(urls[name], seconds=300)
        yield urls
    finally:
        stop(processes)


@contextlib.contextmanager
def gateway(services, folder):
    """A gateway before the services whose data lie in `folder`; yields its address."""
    port = free_port()
    process = start(
        "gateway",
        GATEWAY_PORT=str(port),
        GATEWAY_UPSTREAMS=json.dumps(services),
        GATEWAY_DATA_DIR=str(folder),
        GATEWAY_READINESS_POLL_SECONDS="0.2",
    )
    try:
        wait_ready(f"http://127.0.0.1:{port}", seconds=120)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop([process])


def stop(processes):
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait(timeout=60)


@pytest.fixture(scope="module")
def system(services, tmp_path_factory):
    """The address of an open gateway."""
    with gateway(services, tmp_path_factory.mktemp("gateway")) as address:
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
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def open_page(system, browser):
    """Open the page; at the end no script may have failed and no policy been broken."""
    faults = []
    with contextlib.ExitStack() as stack:

        def opened(address=system, **options):
            context = browser.new_context(base_url=address, **options)
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(60_000)
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on(
                "console",
                lambda message: (
                    "Content Security Policy" in message.text and faults.append(message.text)
                ),
            )
            page.goto("/ui")
            page.wait_for_selector("body[data-state=ready]")
            return page

        yield opened
    assert not faults


@pytest.fixture
def page(open_page):
    return open_page()
