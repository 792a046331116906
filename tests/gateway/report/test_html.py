"""The HTML form of a report."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from gateway.report.html import policy, to_html
from tests.gateway.report.cases import explanation, mapped, page_of, rejected

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "javascript:alert(1)",
)


class Elements(HTMLParser):
    """Collects the elements, their attributes, and the text outside of style."""

    def __init__(self, document):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], []
        self.feed(document)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data):
        self.text.append(data)


def parsed(page):
    return Elements(to_html(page).decode())


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_shown_as_text(text):
    reason = {"code": "x", "message": text}
    warning = {"code": "x", "message": text}
    document = parsed(
        page_of(rejected(reasons=[reason], warnings=[warning], notice=text), reference=text)
    )

    assert "script" not in document.tags
    assert (document.tags.count("image"), "img" in document.tags) == (1, False)
    assert not [one for one in document.attributes if one[1].startswith(("on", "style"))]
    assert "".join(document.text).count(text) == 4


def test_the_policy_allows_no_script_and_this_style_sheet_alone():
    document = to_html(page_of(explanation())).decode()
    (style,) = re.findall(r"<style>(.*?)</style>", document, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert f"style-src 'sha256-{digest}'" in policy()
    assert policy().startswith("default-src 'none'")
    assert "unsafe" not in policy()
    saved = [
        value
        for tag, name, value in parsed(page_of(explanation())).attributes
        if (tag, name) == ("meta", "content") and "default-src" in value
    ]
    assert saved and digest in saved[0]


def test_nothing_is_loaded_from_elsewhere():
    document = parsed(page_of(mapped()))
    addresses = [value for _, name, value in document.attributes if name in ("src", "href")]

    assert len(addresses) == 2
    assert all(address.startswith("data:image/png;base64,") for address in addresses)


def test_pictures_have_a_text_and_the_language_and_title_are_set():
    document = parsed(page_of(mapped()))

    alternatives = [
        value for tag, name, value in document.attributes if (tag, name) == ("svg", "aria-label")
    ]
    assert alternatives == ["Picture of the input", "Influence map over the input"]
    assert ("html", "lang", "en") in document.attributes
    assert "Chest X-ray: Second-reader report" in document.text


def test_bars_are_drawn_to_scale_with_their_threshold():
    widths = [
        value
        for tag, name, value in parsed(page_of(explanation())).attributes
        if tag == "rect" and name in ("width", "x")
    ]

    assert widths == ["100%", "90.00%", "40.00%", "1.5", "100%", "10.00%", "40.00%", "1.5"]


def test_a_printed_page_is_one_a4():
    style = re.search(r"<style>(.*?)</style>", to_html(page_of(explanation())).decode(), re.DOTALL)

    assert style and "size: A4" in style[1] and "@media print" in style[1]
