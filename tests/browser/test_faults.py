"""What the page does when something is wrong, missing or in the way."""

import os
import re

import pytest

from tests.browser.desk import DERMOSCOPY, MAN, RECORD, ask, ask_about, choose, fill_factors

pytestmark = pytest.mark.browser


def test_a_wrong_file_is_refused_with_what_to_do(page, tmp_path):
    note = tmp_path / "note.jpg"
    note.write_text("not a picture")
    text = ask_about(page, "^Chest", note).inner_text()

    assert "This file is not of a kind that can be read here" in text
    assert "Choose a JPEG or PNG" in text


def test_a_broken_picture_is_refused_with_what_to_do(page, tmp_path):
    half = tmp_path / "half.jpg"
    half.write_bytes(DERMOSCOPY.read_bytes()[:9000])

    assert "This picture cannot be read" in ask_about(page, "^Skin", half).inner_text()


def test_half_a_record_is_noticed_before_it_is_sent(page):
    page.locator("#file").set_input_files(RECORD[0])
    assert page.get_by_role("radio", name=re.compile("ECG")).is_checked()
    page.get_by_role("button", name="Analyse", exact=True).click()

    assert "One half of an ECG record is missing" in page.get_by_role("alert").inner_text()


def test_a_file_that_is_too_large_is_not_sent(page, tmp_path):
    huge = tmp_path / "huge.jpg"
    with huge.open("wb") as stream:
        stream.truncate(33 * 1024 * 1024)
    page.locator("#file").set_input_files(huge)
    page.get_by_role("button", name="Analyse", exact=True).click()

    assert "larger than 32 MB" in page.get_by_role("alert").inner_text()
    assert page.locator("#answer-body .problem").count() == 0


def test_a_value_out_of_range_is_named_beside_its_field_and_not_sent(page):
    fill_factors(page, MAN | {"age": 140})
    page.get_by_role("button", name="Analyse", exact=True).click()

    assert page.get_by_role("alert").inner_text() == "Age: Enter a number from 18 to 100."
    assert page.evaluate("document.activeElement.dataset.column") == "age"
    assert page.locator("#answer-body .verdict").count() == 0


def test_a_service_that_is_down_is_shown_and_explained(open_page, broken_system):
    page = open_page(broken_system)
    choose(page, "ECG")
    page.get_by_text("This service is not ready at the moment.").wait_for()
    page.get_by_role("navigation").get_by_text("5 of 6 services ready").wait_for()
    answer = ask_about(page, "ECG", *RECORD)

    assert answer.locator(".advice").inner_text()
    row = page.locator("#status li", has_text="ECG").inner_text()
    assert "not ready" in row or "paused" in row


def test_an_upload_can_be_cancelled_while_it_is_under_way(page, tmp_path):
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(DERMOSCOPY.read_bytes() + os.urandom(4_000_000))
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 100_000}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", slow)
    page.locator("#file").set_input_files(photo)
    page.get_by_role("button", name="Analyse", exact=True).click()
    page.get_by_text("Sending: ").wait_for()
    assert page.locator("#answer").get_attribute("aria-busy") == "true"
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_selector("#answer[aria-busy=false]")

    assert page.get_by_role("alert").inner_text() == "Cancelled. Nothing was kept."
    assert page.evaluate("document.activeElement.id") == "submit"
    assert not page.get_by_role("button", name="Cancel").is_visible()
    assert page.locator("#answer-body .verdict, #answer-body .problem").count() == 0


def test_a_gateway_that_went_away_is_explained(page):
    fill_factors(page, MAN)
    page.route("**/v1/**", lambda route: route.abort("connectionrefused"))
    text = ask(page).inner_text()

    assert "The gateway cannot be reached" in text
    assert "Check that the gateway is running" in text


def test_a_key_is_asked_for_where_one_is_needed(open_page, locked_system):
    address, key = locked_system
    page = open_page(address)
    fill_factors(page, MAN)
    assert "An API key is needed" in ask(page).inner_text()
    assert page.evaluate("document.activeElement.id") == "key-value"
    page.keyboard.type(key)
    page.keyboard.press("Enter")
    page.wait_for_selector("#answer-body .verdict")

    assert not page.locator("#key").is_visible()
    assert not page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length")


def test_without_scripts_the_page_says_what_to_do_instead(open_page):
    page = open_page(java_script_enabled=False)

    assert "This page needs JavaScript" in page.locator("body").inner_text()
    assert not page.get_by_role("button", name="Analyse").is_visible()
    assert page.get_by_role("link", name="API documentation").first.is_visible()
