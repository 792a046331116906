"""Measure what the page costs a browser: `python -m deploy.page_weight [URL]`.

Needs a running system and Chromium. Bytes are those on the wire, headers included. Interactive
means that the form answers: scripts run, catalogue read. The median of five loads with an empty
cache, and of five with the cache of the first.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from statistics import median

from playwright.sync_api import Browser, BrowserContext

from deploy.chromium import chromium, wait_until_usable

LOADS = 5
#: Notes when the form answers, in milliseconds from the navigation.
_WATCH = """() => {
  new MutationObserver(() => {
    if (document.body?.dataset.state === "ready") window.usableAt ??= performance.now();
  }).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-state"] });
}"""


@dataclass(frozen=True, slots=True)
class Load:
    """What one load of the page took."""

    requests: int
    wire_bytes: float
    interactive_ms: float


def main() -> int:
    """Print both medians."""
    url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
    with chromium() as browser:
        first = [load(fresh(browser, url)) for _ in range(LOADS)]
        context = fresh(browser, url)
        load(context)
        again = [load(context) for _ in range(LOADS)]
    print(f"first visit:  {described(first)}")
    print(f"second visit: {described(again)}")
    return 0


def fresh(browser: Browser, url: str) -> BrowserContext:
    """Return a context with an empty cache."""
    context = browser.new_context(base_url=url)
    context.add_init_script(f"({_WATCH})()")
    return context


def load(context: BrowserContext) -> Load:
    """Open the page once and count until it is usable."""
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto("/ui")
    wait_until_usable(page)
    page.wait_for_load_state("networkidle")
    found = Load(len(sizes), sum(sizes), float(page.evaluate("window.usableAt")))
    page.close()
    return found


def described(loads: list[Load]) -> str:
    """Return the medians in one line."""
    requests = median(one.requests for one in loads)
    size = median(one.wire_bytes for one in loads) / 1024
    interactive = median(one.interactive_ms for one in loads)
    return f"{requests:.0f} requests, {size:.1f} KiB, interactive after {interactive:.0f} ms"


if __name__ == "__main__":
    sys.exit(main())
