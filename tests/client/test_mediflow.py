"""What the typed client sends, without a gateway."""

import httpx2
import pytest

from client.mediflow import MediFlow

PNG = b"\x89PNG\r\n\x1a\n not really a picture"


@pytest.fixture
def asked():
    return []


@pytest.fixture
def mediflow(asked):
    def handler(request):
        asked.append(request)
        return httpx2.Response(200, content=b"<svg/>", headers={"content-type": "image/svg+xml"})

    with MediFlow("http://gateway:8000", transport=httpx2.MockTransport(handler)) as opened:
        yield opened


def test_a_rendering_is_asked_for_by_its_form_and_png_needs_no_word(mediflow, asked):
    drawn = mediflow.render("ecg", PNG, "svg")
    mediflow.render("ecg", PNG)

    assert (drawn.payload, drawn.media_type) == (b"<svg/>", "image/svg+xml")
    assert [dict(request.url.params) for request in asked] == [{"format": "svg"}, {}]


@pytest.mark.parametrize(("choice", "sent"), [(None, None), (True, "true"), (False, "false")])
def test_views_are_asked_for_refused_or_left_to_the_service(mediflow, asked, choice, sent):
    mediflow.report("ecg", PNG, use_tta=choice)

    assert asked[0].url.params.get("use_tta") == sent
