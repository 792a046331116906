"""Foreign text on a page."""

import pytest

from gateway.report.text import MAX_CHARACTERS, harmless, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\nlines\tand\x00 a\x07 bell", "two lines and a bell"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
        ("a\ufeffb\u200bc\u00add", "abcd"),
        ("#import <script>", "#import <script>"),
    ],
)
def test_control_and_format_characters_are_dropped_and_markup_is_left_to_the_printers(text, shown):
    assert harmless(text) == shown


def test_a_very_long_text_is_cut():
    assert len(harmless("x" * 10_000)) == MAX_CHARACTERS


def test_what_no_font_holds_becomes_a_box():
    assert printable("a中b\U0001f600 שלום e\u0301") == "a□b□ שלום é"
