"""Whether everybody can use the page: axe on every state, both themes, phone width, no motion."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.desk import (
    DERMOSCOPY,
    FILM,
    MAN,
    RECORD,
    ULTRASOUND,
    ask,
    ask_about,
    choose,
    fill_factors,
    type_symptoms,
)

pytestmark = pytest.mark.browser


def check(page, state):
    """Fail when axe finds anything serious or critical in this state of the page."""
    found = Axe().run(page).response["violations"]
    faults = [
        f"{state}: {one['id']} at {node['target']}: {node['failureSummary']}"
        for one in found
        for node in one["nodes"]
        if one["impact"] in ("serious", "critical")
    ]
    assert not faults


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_before_an_answer(open_page, scheme):
    page = open_page(color_scheme=scheme)
    check(page, "empty form")
    choose(page, "^Heart")
    page.locator("[data-of=table-heart-risk] details summary").click()
    check(page, "heart factors")
    page.get_by_role("button", name="Analyse", exact=True).click()
    check(page, "missing factors")
    type_symptoms(page, "chills")
    page.get_by_role("combobox").fill("head")
    page.wait_for_selector("#symptom-list [aria-selected=true]")
    check(page, "search of symptoms")
    page.get_by_role("combobox").fill("nothing like this")
    check(page, "search without a hit")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_any_answer(open_page, scheme):
    page = open_page(color_scheme=scheme)
    ask_about(page, "^Chest", FILM)
    page.wait_for_selector("#answer-body .picture img")
    page.get_by_role("button", name="Show what the score rests on").click()
    page.wait_for_selector("#answer-body .map, #answer-body :text('There is no map')")
    for fold in page.locator("#answer summary").all():
        fold.click()
    page.get_by_role("button", name="Wrong", exact=True).click()
    check(page, "film with its map, all folds open, feedback")
    ask_about(page, "^Skin", DERMOSCOPY)
    check(page, "urgent")
    ask_about(page, "ECG", *RECORD)
    page.wait_for_selector("#answer-body .picture img")
    check(page, "ECG record")
    fill_factors(page, MAN)
    ask(page)
    check(page, "heart risk")
    type_symptoms(page, "headache")
    ask(page)
    check(page, "undecided")
    ask_about(page, "^Chest", ULTRASOUND)
    check(page, "wrong door")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_any_fault(open_page, broken_system, tmp_path, scheme):
    note = tmp_path / "note.jpg"
    note.write_text("not a picture")
    page = open_page(broken_system, color_scheme=scheme)
    ask_about(page, "^Chest", note).locator("summary").click()
    check(page, "refused file")
    ask_about(page, "ECG", *RECORD)
    check(page, "service down")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_while_a_file_is_sent_or_a_key_asked_for(
    open_page, locked_system, scheme
):
    page = open_page(locked_system[0], color_scheme=scheme)
    page.route("**/v1/chest-xray/predictions", lambda route: None)
    page.locator("#file").set_input_files(FILM)
    page.get_by_role("button", name="Analyse", exact=True).click()
    page.wait_for_selector("#progress:not([hidden])")
    check(page, "sending")
    page.get_by_role("button", name="Cancel").click()
    check(page, "cancelled")
    fill_factors(page, MAN)
    ask(page)
    check(page, "key asked for")


@pytest.mark.parametrize("width", [320, 360, 768])
def test_nothing_is_wider_than_the_screen(open_page, width):
    page = open_page(viewport={"width": width, "height": 740})
    fill_factors(page, MAN)
    ask(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ask_about(page, "^Skin", DERMOSCOPY)

    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_phone_the_answer_is_in_sight_when_it_comes(open_page):
    page = open_page(viewport={"width": 390, "height": 844})
    fill_factors(page, MAN)
    ask(page)

    page.wait_for_function(
        """() => {
          const { top } = document.getElementById("answer-title").getBoundingClientRect();
          return top >= 0 && top < innerHeight / 3;
        }"""
    )


def test_nothing_moves_for_those_who_want_no_motion(open_page):
    page = open_page(reduced_motion="reduce")
    fill_factors(page, MAN)
    ask(page)

    moving = "one => getComputedStyle(one).transitionDuration !== '0s'"
    assert page.evaluate(f"![...document.querySelectorAll('*')].some({moving})")
    assert page.evaluate("document.getAnimations().length") == 0
