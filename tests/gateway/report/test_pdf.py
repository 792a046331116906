"""The PDF form of a report."""

import asyncio
import io
import time

import pytest
from pypdf import PdfReader

from contracts.errors import Overloaded, UpstreamTimeout
from gateway.report.pdf import PdfPress, to_pdf
from serving.deadline import Deadline
from tests.gateway.report.cases import MADE, explanation, mapped, page_of, png, rejected

HOSTILE = (
    '#import "@preview/x:1.0.0": y',
    '#read("/etc/hostname")',
    "<script>alert(1)</script> ]#panic()",
    "$ x^2 $ *bold* _it_ `raw` @ref <label> \\ // /*",
    "control \x00\x07\x1b[31m and \u202ereversed\u202c text",
    "مرحبا بالعالم שלום 中文 \U0001f600 \ue000 \ud7ff",
)


def read(pdf):
    return PdfReader(io.BytesIO(pdf))


def text_of(pdf):
    return " ".join(read(pdf).pages[0].extract_text().split())


def later():
    return Deadline(time.monotonic() + 60)


@pytest.mark.parametrize(
    "found",
    [
        explanation(),
        mapped(),
        rejected(),
        explanation("ecg", positive=("MI", "CD"), label="MI"),
        explanation("symptoms", positive=("malaria",)),
        explanation("skin-lesion", positive=("mel",)),
    ],
    ids=["withheld", "mapped", "rejected", "ecg", "symptoms", "skin"],
)
def test_the_report_is_one_page_that_says_what_the_html_says(found):
    page = page_of(found, reference="ward-7/0042")
    pdf = to_pdf(page, MADE)

    text = text_of(pdf)
    assert len(read(pdf).pages) == 1
    for part in (page.title, page.answer.headline, "ward-7/0042", "22f2187cf4324cfa", "0.970"):
        assert part in text
    assert found.prediction.notice[:40] in text


def test_the_document_names_itself_its_language_and_its_structure():
    reader = read(to_pdf(page_of(explanation()), MADE))
    root = reader.trailer["/Root"]

    assert reader.metadata.title == "Chest X-ray: Second-reader report"
    assert reader.metadata.author == "MediFlow"
    assert reader.metadata.creation_date == MADE
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"]
    assert "pdfuaid" in root["/Metadata"].get_data().decode()


def test_every_font_is_embedded():
    page = read(to_pdf(page_of(explanation()), MADE)).pages[0]
    fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]
    inner = [font["/DescendantFonts"][0].get_object()["/FontDescriptor"] for font in fonts]

    assert inner
    assert all({"/FontFile2", "/FontFile3"} & one.keys() for one in inner)


def test_the_same_page_gives_the_same_bytes():
    page = page_of(mapped())

    assert to_pdf(page, MADE) == to_pdf(page, MADE)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_stay_text(text):
    reason = {"code": "x", "message": text}
    page = page_of(
        rejected(reasons=[reason, reason], warnings=[reason], notice=text), reference=text
    )

    pdf = to_pdf(page, MADE)

    assert len(read(pdf).pages) == 1
    assert "/JavaScript" not in read(pdf).trailer["/Root"]
    assert "\u202e" not in text_of(pdf)


def test_markup_of_the_typesetter_is_printed_letter_by_letter():
    text = "#import x: y; *not bold* $no maths$"

    assert text in text_of(to_pdf(page_of(explanation(notice=text)), MADE))


@pytest.mark.parametrize("picture", [png(1024, 60), png(60, 1024), png(1024, 768)])
def test_however_much_there_is_to_say_it_stays_one_page(picture):
    long = "word " * 5_000
    reasons = [{"code": "x", "message": long}] * 3
    triage = {"band": "urgent", "next_step": long, "timeline": long, "source": long}
    found = mapped(
        outcome="abstained", label=None, reasons=reasons, warnings=reasons, triage=triage
    )

    assert len(read(to_pdf(page_of(found, picture=picture), MADE)).pages) == 1


async def test_the_event_loop_goes_on_while_pages_are_set():
    press, gaps, last = PdfPress(1), [], time.perf_counter()
    work = asyncio.create_task(press.print(page_of(mapped()), MADE, later()))
    while not work.done():
        await asyncio.sleep(0)
        now = time.perf_counter()
        gaps.append(now - last)
        last = now

    press.close()
    assert work.result().startswith(b"%PDF-")
    assert len(gaps) > 3


async def test_a_late_report_is_504_and_a_full_queue_503():
    press = PdfPress(1, max_waiting=1)
    page = page_of(explanation())
    with pytest.raises(UpstreamTimeout):
        await press.print(page, MADE, Deadline(time.monotonic() - 1))

    many = [press.print(page, MADE, later()) for _ in range(3)]
    results = await asyncio.gather(*many, return_exceptions=True)
    press.close()

    refused = [one for one in results if isinstance(one, Overloaded)]
    assert len(refused) == 1
    assert len([one for one in results if isinstance(one, bytes)]) == len(results) - 1
