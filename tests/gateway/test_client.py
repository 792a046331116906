import inspect
import json

import httpx2
import pytest

from contracts.errors import (
    InvalidField,
    InvalidInput,
    ModalityUnavailable,
    ModelUnavailable,
    NotFound,
    Overloaded,
    ServiceError,
    Unavailable,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from contracts.registry import get_modality
from gateway.client import MAX_ANSWER_BYTES, InferenceClient, open_upstream, translate
from gateway.question import Options, Question
from gateway.upload import Upload
from serving.deadline import Deadline
from tests.gateway.fakes import JPEG_BYTES, prediction, problem

DIGEST = prediction()["input"]["sha256"]


def question(seconds=5.0, **options):
    upload = Upload(JPEG_BYTES, "image/jpeg", DIGEST)
    deadline = Deadline(100.0 + seconds, lambda: 100.0)
    return Question(get_modality("chest-xray"), upload, "req-1", deadline, Options(**options))


def client_for(handler, token=None):
    upstream = open_upstream(
        "http://chest-xray.test",
        connect_timeout_seconds=1,
        answer_timeout_seconds=5,
        max_connections=4,
        transport=httpx2.MockTransport(handler),
    )
    return InferenceClient({"chest-xray": upstream}, token=token)


def answering(*args, **kwargs):
    return client_for(lambda request: httpx2.Response(*args, **kwargs))


async def test_the_raw_bytes_go_out_with_type_id_deadline_token_and_options():
    seen = []

    def handler(request):
        seen.append(request)
        return httpx2.Response(200, json=prediction())

    await client_for(handler, token="t0ken").predict(question(prevalence=0.1, use_tta=True))

    (request,) = seen
    assert request.content == JPEG_BYTES
    assert request.url == "http://chest-xray.test/predict?prevalence=0.1&use_tta=true"
    assert request.headers["content-type"] == "image/jpeg"
    assert request.headers["x-request-id"] == "req-1"
    assert request.headers["x-deadline-ms"] == "5000"
    assert request.headers["authorization"] == "Bearer t0ken"
    assert request.headers["accept-encoding"] == "identity"


async def test_without_a_token_none_is_sent():
    def handler(request):
        assert "authorization" not in request.headers
        return httpx2.Response(200, json=prediction())

    assert (await client_for(handler).predict(question())).label == "NORMAL"


def without(member):
    body = prediction()
    del body[member]
    return body


BAD_ANSWERS = {
    "text": {"text": "<html>error</html>"},
    "half": {"content": json.dumps(prediction()).encode()[:-20]},
    "a list": {"json": []},
    "nan": {"content": json.dumps(prediction(derived={"m": float("nan")})).encode()},
    "a time that is nan": {
        "content": json.dumps(prediction(timing_ms={"infer": float("nan")})).encode()
    },
    "infinite": {"content": json.dumps(prediction()).replace("0.75", "1e999").encode()},
    "above one": {"json": prediction(probabilities={"NORMAL": 1.5})},
    "no model": {"json": without("model")},
    "no notice": {"json": without("notice")},
    "another modality": {"json": prediction(modality="ecg")},
    "another input": {"json": prediction(payload=b"other")},
    "foreign label": {"json": prediction(probabilities={"mel": 1.0})},
    "rejected with scores": {"json": prediction(outcome="rejected", label=None)},
    "abstained with a label": {"json": prediction(outcome="abstained")},
}


@pytest.mark.parametrize("answer", BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
async def test_F4_a_200_that_is_no_valid_answer_is_502(answer):
    if "content" in answer:
        answer = answer | {"headers": {"content-type": "application/json"}}
    with pytest.raises(UpstreamUnavailable) as caught:
        await answering(200, **answer).predict(question())

    assert caught.value.code == "bad_upstream"


async def test_F4_a_good_answer_of_another_media_type_is_502():
    good = json.dumps(prediction()).encode()

    for media_type in ("text/html", "application/problem+json", ""):
        with pytest.raises(UpstreamUnavailable) as caught:
            headers = {"content-type": media_type}
            await answering(200, content=good, headers=headers).predict(question())

        assert caught.value.code == "bad_upstream"


async def test_F4_a_refusal_that_is_not_declared_as_a_problem_is_502():
    body = problem(422, "image_undecodable").content

    with pytest.raises(UpstreamUnavailable) as caught:
        headers = {"content-type": "application/json"}
        await answering(422, content=body, headers=headers).predict(question())

    assert caught.value.code == "bad_upstream"


async def test_an_answer_without_end_is_cut_off():
    good = json.dumps(prediction()).encode()
    headers = {"content-type": "application/json"}
    for room, fits in ((0, True), (1, False)):
        body = good.ljust(MAX_ANSWER_BYTES + room)
        asked = answering(200, content=body, headers=headers).predict(question())
        if fits:
            assert (await asked).label == "NORMAL"
            continue
        with pytest.raises(UpstreamUnavailable):
            await asked


@pytest.mark.parametrize(
    ("response", "kind", "code"),
    [
        (problem(422, "image_undecodable"), InvalidInput, "image_undecodable"),
        (problem(422, "out_of_range", field="age"), InvalidField, "out_of_range"),
        (problem(503, "model_unavailable"), ModelUnavailable, "model_unavailable"),
        (problem(503, "overloaded"), Overloaded, "overloaded"),
        (problem(503, "draining"), Unavailable, "draining"),
        (problem(504, "deadline_exceeded"), UpstreamTimeout, "upstream_timeout"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_problem_of_the_service_keeps_its_code(response, kind, code):
    with pytest.raises(kind) as caught:
        await client_for(lambda request: response).predict(question())

    assert caught.value.code == code


async def test_the_sentence_of_a_refused_field_is_passed_on_and_that_of_a_503_is_not():
    with pytest.raises(InvalidField) as refused:
        await client_for(lambda request: problem(422, "out_of_range", field="age")).predict(
            question()
        )
    with pytest.raises(ModelUnavailable) as missing:
        await client_for(lambda request: problem(503, "model_unavailable")).predict(question())

    assert (refused.value.detail, refused.value.field) == ("Our text.", "age")
    assert missing.value.detail != "Our text."


async def test_a_busy_service_says_when_to_come_back():
    response = problem(503, "overloaded")
    response.headers["retry-after"] = "7"
    with pytest.raises(Overloaded) as caught:
        await client_for(lambda request: response).predict(question())

    assert caught.value.retry_after_seconds == 7


@pytest.mark.parametrize("status", [201, 301, 401, 403, 404, 405, 429, 500, 501, 502, 503])
async def test_any_other_status_is_502_without_a_word_of_its_body(status):
    response = problem(status, "internal_error", detail="Traceback: /srv/secret.py")
    with pytest.raises(UpstreamUnavailable) as caught:
        await client_for(lambda request: response).predict(question())

    assert "Traceback" not in caught.value.detail


async def test_a_model_without_a_card_is_404_and_no_fault_of_the_service():
    client = client_for(lambda request: problem(404, "no_card"))
    with pytest.raises(NotFound) as caught:
        await client.card("chest-xray", "json", "r-1", question().deadline)

    assert caught.value.code == "no_card"


async def test_an_error_body_that_is_no_json_is_502():
    with pytest.raises(UpstreamUnavailable):
        await answering(413, text="Content Too Large").predict(question())


def transport_errors():
    """Every exception class of the HTTP client that a call may raise."""
    kinds = [
        kind
        for kind in vars(httpx2).values()
        if inspect.isclass(kind)
        and issubclass(kind, httpx2.HTTPError | httpx2.InvalidURL | httpx2.StreamError)
    ]
    assert len(kinds) > 20
    return kinds


@pytest.mark.parametrize("kind", transport_errors(), ids=lambda kind: kind.__name__)
async def test_no_exception_of_the_http_client_crosses_the_border(kind):
    error = kind.__new__(kind, "boom")
    Exception.__init__(error, "boom")

    def handler(request):
        raise error

    with pytest.raises(ServiceError) as caught:
        await client_for(handler).predict(question())

    assert caught.value.status in (502, 503, 504)
    assert await client_for(handler).is_ready("chest-xray") is False


DRAINING = {"X-Draining": "true"}


def readiness(reason):
    body = {"status": "not_ready", "reason": reason} if reason else {"status": "ready"}
    return httpx2.Response(503 if reason else 200, json=body)


async def test_F8_any_answer_of_a_draining_service_closes_its_gate():
    client = answering(200, json=prediction(), headers=DRAINING)

    answer = await client.predict(question())

    assert answer.label == "NORMAL"
    assert client.gates["chest-xray"].is_closed
    deadline = Deadline(105.0, lambda: 100.0)
    with pytest.raises(ModalityUnavailable):
        await client.describe("chest-xray", "r", deadline)
    with pytest.raises(ModalityUnavailable):
        await client.card("chest-xray", "json", "r", deadline)


async def test_F8_a_draining_service_that_nobody_asks_is_noticed_by_its_readiness():
    client = answering(503, json={"status": "not_ready"}, headers=DRAINING)

    assert await client.is_ready("chest-xray") is False
    assert client.gates["chest-xray"].is_closed


@pytest.mark.parametrize(
    ("answer", "is_closed"),
    [
        (readiness(None), False),
        (readiness("model_missing"), False),
        (readiness("queue_full"), False),
        (readiness("loading"), True),
        (httpx2.Response(502, text="no answer of ours"), False),
        (httpx2.ConnectError("nobody there"), True),
    ],
    ids=["ready", "model missing", "full", "loading", "something else", "nobody"],
)
async def test_F8_the_gate_opens_when_another_process_has_loaded(answer, is_closed):
    def handler(request):
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = client_for(handler)
    client.gates["chest-xray"].close()
    await client.is_ready("chest-xray")

    assert client.gates["chest-xray"].is_closed is is_closed


async def test_F8_an_answer_asked_for_before_the_draining_does_not_open_the_gate():
    def handler(request):
        client.gates["chest-xray"].close()  # while the answer is on its way
        return readiness(None)

    client = client_for(handler)
    await client.is_ready("chest-xray")

    assert client.gates["chest-xray"].is_closed


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (httpx2.ConnectError, 502),
        (httpx2.ConnectTimeout, 502),
        (httpx2.ReadTimeout, 504),
        (httpx2.WriteTimeout, 504),
        (httpx2.PoolTimeout, 503),
        (httpx2.ReadError, 502),
        (httpx2.RemoteProtocolError, 502),
    ],
)
def test_refused_late_busy_and_broken_are_told_apart(kind, status):
    assert translate(kind("x")).status == status


async def test_a_deadline_that_has_passed_asks_nobody():
    client = client_for(lambda request: pytest.fail("the service was asked"))
    with pytest.raises(UpstreamTimeout):
        await client.predict(question(seconds=0))


async def test_only_a_picture_of_the_form_asked_for_is_one():
    with pytest.raises(UpstreamUnavailable):
        await answering(200, text="<html>").render(question())
    svg = answering(200, text="<svg/>", headers={"content-type": "image/svg+xml"})
    with pytest.raises(UpstreamUnavailable):
        await svg.render(question())
    assert (await svg.render(question(), "svg")).media_type == "image/svg+xml"

    png = answering(200, content=b"png", headers={"content-type": "image/png"})
    assert (await png.render(question())).payload == b"png"
