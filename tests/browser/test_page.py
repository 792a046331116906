"""What a person does on the page, from choosing to the answer."""

import json
import re

import pytest

from tests.e2e.processes import ROOT

pytestmark = pytest.mark.browser

FILM = ROOT / "examples/chest-xray/person418_virus_852.jpeg"
DERMOSCOPY = ROOT / "examples/skin-lesion/ISIC_0024332.jpg"
MAN = json.loads((ROOT / "examples/heart-risk/man-58.json").read_text())


def choose(page, title):
    page.get_by_role("radio", name=re.compile(title)).check()


def ask(page):
    """Press the button and return the answer's element when it is there."""
    page.get_by_role("button", name="Analyse", exact=True).click()
    page.wait_for_selector("#answer-body .headline, #answer-body .problem")
    return page.locator("#answer-body")


def test_symptoms_are_found_by_typing_and_answered_with_the_keyboard_alone(page):
    page.get_by_role("radio", name=re.compile("^Symptoms")).focus()
    page.keyboard.press("Space")
    field = page.get_by_role("combobox", name="Symptoms")
    field.focus()
    for text in ("chills", "high fever", "sweating", "headache"):
        page.keyboard.type(text)
        page.wait_for_selector("#symptom-list [aria-selected=true]")
        page.keyboard.press("Enter")
    assert page.locator("#chosen li").count() == 4
    page.keyboard.press("Enter")
    page.wait_for_selector("#answer-body .headline")

    answer = page.locator("#answer-body").inner_text()
    assert "Malaria" in answer
    assert "Band: high" in answer
    assert "Source:" in answer
    assert page.evaluate("document.activeElement.id") == "answer-title"
    assert "The answer is here" in page.get_by_role("status").inner_text()


def test_a_symptom_can_be_taken_away_again(page):
    choose(page, "^Symptoms")
    page.get_by_role("combobox").fill("head")
    page.get_by_role("option").first.click()
    page.get_by_role("button", name="Remove").click()

    assert page.locator("#chosen li").count() == 0
    page.get_by_role("button", name="Analyse", exact=True).click()
    assert page.get_by_role("alert").inner_text() == "Choose at least one symptom."


def fill_factors(page, values):
    choose(page, "^Heart")
    page.locator("[data-of=table-heart-risk] details summary").click()
    for name, value in values.items():
        field = page.locator(f"[data-column={name}]")
        if field.get_attribute("data-kind") in ("number", "integer"):
            field.fill(str(value))
        else:
            field.select_option(str(value).lower())


def test_heart_factors_are_answered_with_probability_contributions_and_receipt(page):
    fill_factors(page, MAN)
    answer = ask(page)

    assert "92.1 %" in answer.inner_text()
    assert "What moved the score" in answer.inner_text()
    assert answer.locator(".bar .threshold").count() >= 1
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the signed receipt").click()
    receipt = json.loads(download.value.path().read_text())
    assert receipt["receipt"]["modality"] == "heart-risk"


def test_a_value_out_of_range_is_named_beside_its_field_and_not_sent(page):
    fill_factors(page, MAN | {"age": 140})
    page.get_by_role("button", name="Analyse", exact=True).click()

    assert page.get_by_role("alert").inner_text() == "Age: Enter a number from 18 to 100."
    assert page.evaluate("document.activeElement.dataset.column") == "age"
    assert page.locator("#answer-body .headline").count() == 0


def test_feedback_with_the_right_label_is_stored(page):
    fill_factors(page, MAN)
    ask(page)
    page.get_by_role("button", name="Wrong", exact=True).click()
    page.get_by_label("What is right").select_option("no_disease")
    page.get_by_role("button", name="Send", exact=True).click()

    page.get_by_text("Stored. Thank you.").wait_for()


def test_a_film_is_answered_with_its_picture_and_its_model(page):
    page.locator("#file").set_input_files(FILM)
    answer = ask(page)

    page.wait_for_selector("#answer-body .picture img")
    assert page.evaluate("document.querySelector('.picture img').naturalWidth") > 100
    assert "Calibrated probabilities" in answer.inner_text()
    card = page.get_by_role("link", name="Model card").get_attribute("href")
    assert page.request.get(card).ok
    page.get_by_role("button", name="Show what the score rests on").click()
    page.wait_for_selector("#answer-body .map, #answer-body :text('There is no map')")


def test_a_wrong_file_is_refused_with_what_to_do(page, tmp_path):
    note = tmp_path / "note.jpg"
    note.write_text("not a picture")
    page.locator("#file").set_input_files(note)

    text = ask(page).inner_text()
    assert "Unsupported media type" in text
    assert "Choose a file of one of the named types" in text


def test_half_a_record_is_noticed_before_it_is_sent(page):
    page.locator("#file").set_input_files(ROOT / "examples/ecg/00492_lr.hea")
    assert page.get_by_role("radio", name=re.compile("ECG")).is_checked()
    page.get_by_role("button", name="Analyse", exact=True).click()

    assert "One half of an ECG record is missing" in page.get_by_role("alert").inner_text()


def test_a_service_that_is_down_is_shown_and_explained(page):
    record = [ROOT / f"examples/ecg/00492_lr.{ending}" for ending in ("hea", "dat")]
    page.locator("#file").set_input_files(record)

    assert ask(page).locator(".advice").inner_text()
    row = page.locator("#status li", has_text="ECG").inner_text()
    assert "not ready" in row or "paused" in row


def test_recent_answers_are_shown_again_and_gone_after_a_reload(page):
    fill_factors(page, MAN)
    ask(page)
    choose(page, "^Symptoms")
    page.locator("#answer-body").evaluate("element => element.replaceChildren()")
    page.locator("#recent button").first.click()
    assert "92.1 %" in page.locator("#answer-body").inner_text()
    page.reload()
    page.wait_for_selector("body[data-state=ready]")

    assert page.locator("#recent button").count() == 0


def test_a_key_is_asked_for_where_one_is_needed(open_page, locked_system):
    address, key = locked_system
    page = open_page(address)
    fill_factors(page, MAN)
    assert "Authentication required" in ask(page).inner_text()
    assert page.evaluate("document.activeElement.id") == "key-value"
    page.keyboard.type(key)
    page.keyboard.press("Enter")
    page.wait_for_selector("#answer-body .headline")

    assert not page.locator("#key").is_visible()
    assert not page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(open_page, scheme):
    page = open_page(color_scheme=scheme)
    fill_factors(page, MAN)
    ask(page)

    weak = page.evaluate(CONTRAST)
    assert not weak


def test_nothing_is_wider_than_a_phone(open_page):
    page = open_page(viewport={"width": 360, "height": 740})
    fill_factors(page, MAN)
    ask(page)

    assert page.evaluate("document.documentElement.scrollWidth") <= 360


#: Texts whose contrast with the nearest painted ground is below 4.5 to 1 (WCAG AA).
CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b]
    .map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour.length < 4 || colour[3] > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  const weak = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.checkVisibility() || element.matches(":disabled, option")) continue;
    const [a, b] = [parse(getComputedStyle(element).color), ground(element)].map(light);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) weak.push(`${element.tagName}.${element.className} ${ratio.toFixed(2)}`);
  }
  return weak;
}"""
