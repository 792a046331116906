"""Take the screenshots of the documentation: `python -m deploy.screenshots [URL]`.

Needs a running system, Chromium and Pillow. Only the public samples of `examples/` are shown.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page

from deploy.chromium import chromium, wait_until_usable

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
DESKTOP = (1280, 1000)
PHONE = (390, 844)
#: Colours kept: few enough for a small file, enough for a photograph.
COLOURS = 256
#: Rounds by which the palette comes nearer to the picture.
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: which sample, in which theme, on which screen."""

    name: str
    kind: str
    scheme: Literal["light", "dark"] = "light"
    size: tuple[int, int] = DESKTOP
    explain: bool = False
    refused: bool = False


SHOTS = (
    Shot("ultrasound-light", "Breast ultrasound", explain=True),
    Shot("lesion-dark", "Skin lesion", scheme="dark"),
    Shot("ecg-light", "12-lead ECG", size=(1280, 1150)),
    Shot("heart-dark", "Heart risk", scheme="dark"),
    Shot("symptoms-phone", "Symptoms", size=PHONE),
    Shot("refused-light", "Chest X-ray", size=(1280, 700), refused=True),
)
#: Sent where a refusal is shown: a text that calls itself a picture.
LETTER: FilePayload = {"name": "letter.jpg", "mimeType": "image/jpeg", "buffer": b"Dear colleague,"}


def main() -> int:
    """Take every picture whose service is ready; return 1 when one is not."""
    url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
    FOLDER.mkdir(exist_ok=True)
    missing = 0
    with chromium() as browser:
        for shot in SHOTS:
            taken = take(browser, url, shot)
            if taken is None:
                print(f"{shot.name}: the service of {shot.kind} is not ready")
                missing = 1
            else:
                (FOLDER / f"{shot.name}.png").write_bytes(small(taken))
    return missing


def take(browser: Browser, url: str, shot: Shot) -> bytes | None:
    """Return the picture of one answered sample; None when its service is not ready."""
    width, height = shot.size
    context = browser.new_context(
        base_url=url,
        color_scheme=shot.scheme,
        viewport={"width": width, "height": height},
        device_scale_factor=1.5 if shot.size == PHONE else 1,
    )
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto("/ui")
    wait_until_usable(page)
    page.get_by_role("radio", name=re.compile(f"^{shot.kind}")).check()
    if page.locator("#kind-down").is_visible():
        return None
    if shot.refused:
        refuse(page)
    else:
        answer(page, explain=shot.explain)
    page.mouse.move(0, 0)
    if shot.size != PHONE:
        page.evaluate("scrollTo(0, 0)")
    taken = page.screenshot(animations="disabled")
    context.close()
    return taken


def answer(page: Page, *, explain: bool) -> None:
    """Try the first sample and wait for all that is drawn."""
    page.locator("[data-samples]:visible button").first.click()
    page.wait_for_selector("#answer[aria-busy=false] #answer-body .verdict")
    if page.locator("#answer-body .picture").count():
        page.wait_for_selector("#answer-body .picture img")
    if explain:
        page.get_by_role("button", name="Show what the score rests on").click()
        page.wait_for_selector("#answer-body .map, #answer-body :text('There is no map')")


def refuse(page: Page) -> None:
    """Send what cannot be read and wait for the words about it."""
    page.locator("#file").set_input_files(LETTER)
    page.get_by_role("button", name="Analyse", exact=True).click()
    page.wait_for_selector("#answer[aria-busy=false] #answer-body .problem")


def small(taken: bytes) -> bytes:
    """Return the PNG with a palette, which is a third of its size."""
    stream = BytesIO()
    with Image.open(BytesIO(taken)) as image:
        colours = image.convert("RGB")
    palette = colours.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=ROUNDS)
    colours.quantize(palette=palette).save(stream, "PNG", optimize=True)
    return stream.getvalue()


if __name__ == "__main__":
    sys.exit(main())
