"""The documents say what the code says, and point to what exists."""

import re

import pytest

from deploy.settings_page import page
from tests.architecture.compose_file import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "examples/README.md"])


def test_the_settings_page_is_the_one_that_the_settings_write():
    assert (ROOT / "docs/settings.md").read_text() == page(), "run: make docs"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(document):
    text = document.read_text()
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", text)
    targets += re.findall(r'(?:src|href)="(?!https?:|#)([^"#]+)', text)

    missing = [target for target in targets if not (document.parent / target).exists()]

    assert not missing


def test_every_screenshot_is_small_and_shown_somewhere():
    shown = " ".join(document.read_text() for document in DOCUMENTS)
    shots = sorted((ROOT / "docs/screenshots").glob("*.png"))

    assert shots
    assert [shot.name for shot in shots if f"screenshots/{shot.name}" not in shown] == []
    assert [shot.name for shot in shots if shot.stat().st_size > 200_000] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_that_is_named_exists(document):
    named = set(re.findall(r"`(?:[A-Z_]+=\S+ )*make ([a-z]+)", document.read_text()))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert named <= targets
