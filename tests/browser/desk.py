"""What a person does on the page, in words that the tests share."""

import json
import re

from tests.e2e.processes import ROOT

EXAMPLES = ROOT / "examples"
FILM = EXAMPLES / "chest-xray/person418_virus_852.jpeg"
DERMOSCOPY = EXAMPLES / "skin-lesion/ISIC_0024332.jpg"
ULTRASOUND = EXAMPLES / "breast-ultrasound/malignant-6.png"
RECORD = tuple(EXAMPLES / f"ecg/00492_lr.{ending}" for ending in ("hea", "dat"))
MAN = json.loads((EXAMPLES / "heart-risk/man-58.json").read_text())
ANSWER = "#answer[aria-busy=false] #answer-body :is(.verdict, .problem)"


def choose(page, title):
    page.get_by_role("radio", name=re.compile(title)).check()


def ask(page):
    """Press the button and return the answer's element when it is there."""
    page.get_by_role("button", name="Analyse", exact=True).click()
    return answer_of(page)


def answer_of(page):
    page.wait_for_selector(ANSWER)
    return page.locator("#answer-body")


def ask_about(page, title, *files):
    """Choose a kind and its files, and ask."""
    choose(page, title)
    page.locator("#file").set_input_files(files)
    return ask(page)


def fill_factors(page, values):
    choose(page, "^Heart")
    page.locator("[data-of=table-heart-risk] details summary").click()
    for name, value in values.items():
        field = page.locator(f"[data-column={name}]")
        if field.get_attribute("data-kind") in ("number", "integer"):
            field.fill(str(value))
        else:
            field.select_option(str(value).lower())


def type_symptoms(page, *texts):
    choose(page, "^Symptoms")
    for text in texts:
        page.get_by_role("combobox", name="Symptoms").fill(text)
        page.wait_for_selector("#symptom-list [aria-selected=true]")
        page.keyboard.press("Enter")


def save(page, button):
    """Press a button that saves a file; return its bytes."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return download.value.path().read_bytes()
