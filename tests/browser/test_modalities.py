"""Every modality from the file or the values to the report."""

import re
import urllib.request
import uuid

import pytest

from tests.browser.desk import (
    DERMOSCOPY,
    FILM,
    MAN,
    RECORD,
    ULTRASOUND,
    answer_of,
    ask,
    ask_about,
    choose,
    fill_factors,
    save,
    type_symptoms,
)

pytestmark = pytest.mark.browser


def read_answer(page, answer):
    """Check what every answer has: verdict, probabilities, next step, card, timings, report."""
    assert answer.locator(".verdict.accepted .label").inner_text()
    assert re.fullmatch(r"Band: \w+", answer.locator(".band").inner_text())
    assert "Source:" in answer.locator(".triage").inner_text()
    assert answer.locator(".bar .fill").count() >= 2
    assert "From sending to result" in answer.inner_text()
    card = answer.get_by_role("link", name="Model card").get_attribute("href")
    assert page.request.get(card).ok
    assert save(page, "Report (PDF)").startswith(b"%PDF-")


def read_evidence(page):
    """Ask for the map; move it with the slider, or read why there is none."""
    page.wait_for_selector("#answer-body .picture img")
    page.wait_for_function("document.querySelector('.picture img').naturalWidth > 100")
    page.get_by_role("button", name="Show what the score rests on").click()
    page.wait_for_selector("#answer-body .map, #answer-body :text('There is no map')")
    if (slider := page.locator(".opacity input")).count():
        slider.fill("20")
        assert page.evaluate("document.querySelector('.map').style.opacity") == "0.2"


@pytest.mark.parametrize(
    ("title", "file", "label"),
    [
        ("^Chest", FILM, "Pneumonia"),
        ("^Skin", DERMOSCOPY, "Basal Cell Carcinoma"),
        ("^Breast", ULTRASOUND, "Malignant Finding"),
    ],
)
def test_a_picture_goes_from_the_file_to_the_report(page, title, file, label):
    answer = ask_about(page, title, file)

    assert answer.locator(".label").inner_text() == label
    read_evidence(page)
    read_answer(page, answer)


def test_an_ecg_record_of_two_files_is_drawn_measured_and_reported(page):
    answer = ask_about(page, "ECG", *RECORD)

    findings = "Myocardial infarction · Conduction disturbance"
    assert answer.locator(".label").inner_text() == findings
    assert findings in page.locator("#recent").inner_text()
    assert "Heart rate, per minute" in answer.inner_text()
    read_evidence(page)
    assert save(page, "Report (PDF)").startswith(b"%PDF-")


def test_a_picture_of_an_ecg_page_is_answered_too(page, system, tmp_path):
    photo = tmp_path / "page.png"
    photo.write_bytes(draw_record(system))
    answer = ask_about(page, "ECG", photo)

    assert answer.locator(".bar .fill").count() == 5
    read_evidence(page)
    assert save(page, "Report (PDF)").startswith(b"%PDF-")


def draw_record(address):
    """Return the record as the system draws it: a page as somebody could scan it."""
    mark = uuid.uuid4().hex
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n\r\n'
        .encode() + file.read_bytes() + b"\r\n"
        for file in RECORD
    ]  # fmt: skip
    request = urllib.request.Request(
        f"{address}/v1/ecg/renderings",
        b"".join(parts) + f"--{mark}--\r\n".encode(),
        {"Content-Type": f"multipart/form-data; boundary={mark}"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return response.read()


def test_symptoms_go_from_typing_to_the_report(page):
    type_symptoms(page, "chills", "high fever", "sweating", "headache")
    answer = ask(page)

    assert answer.locator(".label").inner_text() == "Malaria"
    read_answer(page, answer)


def test_heart_factors_go_from_the_form_to_the_report(page):
    fill_factors(page, MAN)
    answer = ask(page)

    assert answer.locator(".score").inner_text().startswith("92.1 %")
    assert "What moved the score" in answer.inner_text()
    read_answer(page, answer)


@pytest.mark.parametrize("title", ["^Chest", "ECG", "^Symptoms", "^Heart"])
def test_a_sample_takes_one_click(page, title):
    choose(page, title)
    page.locator("[data-samples]:visible button").first.click()

    assert answer_of(page).locator(".verdict").is_visible()


def test_the_system_finds_out_what_a_picture_shows(page):
    answer = ask_about(page, "^Not sure", ULTRASOUND)

    assert "Breast ultrasound" in answer.locator(".verdict").inner_text()
    assert answer.locator(".label").inner_text() == "Malignant Finding"


def test_the_wrong_door_leads_to_the_right_one(page):
    answer = ask_about(page, "^Chest", ULTRASOUND)
    assert answer.locator(".verdict.rejected").is_visible()
    assert answer.locator(".bars").count() == 0
    page.get_by_role("button", name="Ask Breast ultrasound instead").click()
    page.wait_for_selector(".verdict.accepted")

    assert page.locator(".label").inner_text() == "Malignant Finding"
    assert page.get_by_role("radio", name=re.compile("^Breast")).is_checked()


def test_an_undecided_answer_says_so_and_why(page):
    type_symptoms(page, "headache")
    text = ask(page).inner_text()

    assert "Not sure enough for a single answer" in text
    assert "Have it read by a person" in text
    assert page.locator("#answer-body .part li").count() >= 1
