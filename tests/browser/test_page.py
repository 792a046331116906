"""How the page is used: with the keyboard, again and again, and what it keeps."""

import json

import pytest

from tests.browser.desk import FILM, MAN, ask, choose, fill_factors, save

pytestmark = pytest.mark.browser


def press_tab_until(page, wanted):
    """Walk on with Tab until the focus is on what `wanted` selects."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", wanted):
            return
    pytest.fail(f"Tab never comes to {wanted}")


def test_a_case_is_answered_with_the_keyboard_alone(page):
    press_tab_until(page, "[name=modality]")
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    press_tab_until(page, "#symptom")
    for text in ("chills", "high fever", "sweating", "headache"):
        page.keyboard.type(text)
        page.wait_for_selector("#symptom-list [aria-selected=true]")
        page.keyboard.press("Enter")
    assert page.locator("#chosen li").count() == 4
    page.keyboard.press("Enter")
    page.wait_for_selector("#answer-body .verdict")

    assert "Malaria" in page.locator("#answer-body").inner_text()
    assert page.evaluate("document.activeElement.id") == "answer-title"
    assert "The answer is here: Malaria" in page.get_by_role("status").inner_text()
    with page.expect_download() as download:
        press_tab_until(page, "#answer .actions button")
        page.keyboard.press("Enter")
    assert download.value.path().read_bytes().startswith(b"%PDF-")


def test_a_symptom_can_be_taken_away_again(page):
    choose(page, "^Symptoms")
    page.get_by_role("combobox").fill("head")
    page.get_by_role("option").first.click()
    page.get_by_role("button", name="Remove").click()

    assert page.locator("#chosen li").count() == 0
    page.get_by_role("button", name="Analyse", exact=True).click()
    assert page.get_by_role("alert").inner_text() == "Choose at least one symptom."


def test_a_dropped_film_is_shown_and_answered(page):
    page.evaluate(DROP, [FILM.name, list(FILM.read_bytes())])
    assert page.locator("#file-chosen").inner_text() == FILM.name
    page.wait_for_selector("#file-preview:not([hidden])")

    assert ask(page).locator(".label").inner_text() == "Pneumonia"


def test_the_signed_receipt_is_saved(page):
    fill_factors(page, MAN)
    ask(page)
    receipt = json.loads(save(page, "Signed receipt"))

    assert receipt["receipt"]["modality"] == "heart-risk"


def test_feedback_with_the_right_label_is_stored(page):
    fill_factors(page, MAN)
    ask(page)
    page.get_by_role("button", name="Wrong", exact=True).click()
    page.get_by_label("What is right").select_option("no_disease")
    page.get_by_role("button", name="Send", exact=True).click()

    page.get_by_text("Stored. Thank you.").wait_for()


def test_recent_results_are_shown_again_and_gone_after_a_reload(page):
    fill_factors(page, MAN)
    ask(page)
    choose(page, "^Symptoms")
    page.locator("#answer-body").evaluate("element => element.replaceChildren()")
    page.locator("#recent button").first.click()
    assert "92.1 %" in page.locator("#answer-body").inner_text()
    page.reload()
    page.wait_for_selector("body[data-state=ready]")

    assert page.locator("#recent button").count() == 0


def test_an_answer_is_drawn_as_soon_as_it_is_there(page):
    page.evaluate(WATCH_DRAWING)
    fill_factors(page, MAN)
    ask(page)

    assert page.evaluate("window.waitedFor") == []


#: Drops a file of these bytes, as the browser does with one from the desk.
DROP = """([name, bytes]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], name, { type: "image/jpeg" }));
  document.getElementById("drop").dispatchEvent(new DragEvent("drop", { dataTransfer: transfer }));
}"""

#: Notes the timers, frames and requests that stand between an answer and its drawing.
WATCH_DRAWING = """() => {
  const begun = [];
  for (const name of ["setTimeout", "requestAnimationFrame", "requestIdleCallback"]) {
    const real = window[name].bind(window);
    window[name] = (...rest) => (begun.push(name), real(...rest));
  }
  const open = XMLHttpRequest.prototype.open;
  XMLHttpRequest.prototype.open = function (method, path) {
    const isAnswer = path.endsWith("/predictions");
    if (isAnswer) this.addEventListener("load", () => (begun.length = 0));
    else if (path !== "/health") begun.push(path);
    return open.apply(this, arguments);
  };
  new MutationObserver(() => (window.waitedFor ??= [...begun]))
    .observe(document.getElementById("answer-body"), { childList: true });
}"""
