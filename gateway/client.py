"""Ask one inference service for one answer.

The only module that knows inference services are reached over HTTP. Transport failures become
`contracts.errors` here and error bodies in `answers`, so nothing above sees an HTTP client's
exception. Upload limits, breaker, quotas and audit live elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import httpx2
from pydantic import ValidationError

from contracts.errors import Overloaded, ServiceError, UpstreamTimeout, UpstreamUnavailable
from contracts.schemas import Explanation, Health, ModelInfo, Prediction, Recognition
from gateway.answers import Answer, bad_upstream, check_belongs, read_answer, rebuild_problem
from gateway.draining import DrainGate
from gateway.question import Question
from gateway.transport import MAX_ANSWER_BYTES, ServiceTransport
from gateway.upstream import NOTHING, Upstream
from serving.deadline import Deadline
from serving.draining import DRAINING_HEADER
from serving.health import Phase
from serving.tracing import trace_headers

#: An idle connection is let go before the service lets go of it.
KEEPALIVE_SECONDS = 4.0
PictureForm = Literal["png", "svg"]
PICTURE_TYPES: Mapping[PictureForm, str] = {"png": "image/png", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A rendering as it came from the service."""

    payload: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class _Request:
    """One call of a service."""

    modality: str
    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes | None
    request_id: str


class InferenceClient:
    """Sends uploads to the service that answers for their modality."""

    def __init__(self, upstreams: Mapping[str, Upstream], *, token: str | None = None) -> None:
        """One upstream per modality id, opened and closed by the app's lifespan.

        `gates` closes as soon as any answer of a service says that it drains, and opens again when
        `is_ready` finds it back. Questions pass their lane, which asks the gate.
        """
        self._upstreams = upstreams
        self.gates = {modality: DrainGate() for modality in upstreams}
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def predict(self, question: Question) -> Prediction:
        """Return the service's prediction.

        Sends the raw bytes with their media type: services never parse multipart. Raises
        UpstreamTimeout (504), UpstreamUnavailable (502), the service's own 4xx, or its
        ModelUnavailable / Overloaded (503). Any other 5xx, and a 200 that is no valid answer to
        this question, is logged with the request id and becomes UpstreamUnavailable.
        """
        answer = await self._ask("/predict", question, question.options.params)
        prediction = read_answer(answer, Prediction)
        check_belongs(prediction, question, answer)
        return prediction

    async def explain(self, question: Question) -> Explanation:
        """Return the service's explanation; same failures as `predict`."""
        answer = await self._ask("/explain", question, question.options.params)
        explanation = read_answer(answer, Explanation)
        check_belongs(explanation.prediction, question, answer)
        return explanation

    async def recognise(self, question: Question) -> Recognition:
        """Return what kind of picture the service sees; same failures as `predict`."""
        return read_answer(await self._ask("/recognise", question), Recognition)

    async def render(self, question: Question, form: PictureForm = "png") -> Picture:
        """Return the display picture of an input; same failures as `predict`."""
        answer = await self._ask("/render", question, {} if form == "png" else {"format": form})
        if answer.media_type != PICTURE_TYPES[form]:
            raise bad_upstream(answer, "media_type")
        return Picture(answer.body, answer.media_type)

    async def describe(self, modality: str, request_id: str, deadline: Deadline) -> ModelInfo:
        """Return what GET /model says; same failures as `predict`, and 503 while it drains."""
        self.gates[modality].check()
        request = _Request(modality, "GET", "/model", {}, {}, None, request_id)
        return read_answer(await self._send(request, deadline), ModelInfo)

    async def card(self, modality: str, form: str, request_id: str, deadline: Deadline) -> Picture:
        """Return the model card as `json`, `markdown` or `html`; same failures as `describe`."""
        self.gates[modality].check()
        request = _Request(modality, "GET", "/model/card", {"format": form}, {}, None, request_id)
        answer = await self._send(request, deadline)
        return Picture(answer.body, answer.media_type)

    async def is_ready(self, modality: str, *, timeout_seconds: float = 1.0) -> bool:
        """True when the service answers 200 on /readyz in time; never raises. Moves the gate."""
        gate = self.gates[modality]
        may_open = gate.is_closed
        try:
            async with asyncio.timeout(timeout_seconds):
                response = await self._upstreams[modality].send("GET", "/readyz")
                body = await _read(response)
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, TimeoutError):
            return False
        if DRAINING_HEADER in response.headers:
            gate.close()
        elif may_open and not _is_loading(body):
            gate.open()
        return response.status_code == 200

    async def _ask(
        self, path: str, question: Question, params: Mapping[str, str] = NOTHING
    ) -> Answer:
        """Send one input and return the 200."""
        request = _Request(
            modality=question.modality.id,
            method="POST",
            path=path,
            params=params,
            headers={"Content-Type": question.upload.media_type},
            content=question.upload.payload,
            request_id=question.request_id,
        )
        return await self._send(request, question.deadline)

    async def _send(self, request: _Request, deadline: Deadline) -> Answer:
        """Make the one call, which is never repeated once a byte was sent; return the 200."""
        try:
            async with deadline.scope():
                answer = await self._exchange(request, deadline)
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            raise translate(error) from error
        if answer.status != 200:
            raise rebuild_problem(answer)
        return answer

    async def _exchange(self, request: _Request, deadline: Deadline) -> Answer:
        """One request and its whole answer, which is bounded while it arrives."""
        headers = {"X-Deadline-Ms": deadline.header_value, **self._headers, **request.headers}
        headers |= trace_headers()
        if request.request_id:
            headers["X-Request-ID"] = request.request_id
        response = await self._upstreams[request.modality].send(
            request.method,
            request.path,
            params=request.params,
            headers=headers,
            content=request.content,
        )
        if DRAINING_HEADER in response.headers:
            self.gates[request.modality].close()
        body = await _read(response)
        return Answer(
            status=response.status_code,
            media_type=response.headers.get("content-type", "").partition(";")[0].strip().lower(),
            retry_after=response.headers.get("retry-after", ""),
            body=body,
            request_id=request.request_id,
        )


def open_upstream(
    base_url: str,
    *,
    connect_timeout_seconds: float,
    answer_timeout_seconds: float,
    max_connections: int,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> Upstream:
    """Return the way to one service; the caller opens and closes it.

    A failed connect, and nothing else, is tried once more. An idle connection is let go before
    the service lets go of it, so that no request meets a closing one.
    """
    return Upstream(
        base_url,
        transport
        or ServiceTransport(max_connections=max_connections, keepalive_seconds=KEEPALIVE_SECONDS),
        connect_timeout_seconds=connect_timeout_seconds,
        answer_timeout_seconds=answer_timeout_seconds,
    )


async def _read(response: httpx2.Response) -> bytes:
    """Return the whole body, which is bounded while it arrives; RemoteProtocolError beyond."""
    body = bytearray()
    try:
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > MAX_ANSWER_BYTES:
                raise httpx2.RemoteProtocolError("answer too large")
    finally:
        await response.aclose()
    return bytes(body)


def _is_loading(body: bytes) -> bool:
    """True for a process that has just started and will be ready by itself."""
    try:
        return Health.model_validate_json(body).reason == Phase.LOADING
    except ValidationError:
        return False


def translate(error: Exception) -> ServiceError:
    """The one table from HTTP-client failures to ours: busy, refused, late, reset, bad reply."""
    if isinstance(error, httpx2.PoolTimeout):
        return Overloaded("All connections to this service are in use.", retry_after_seconds=1)
    if isinstance(error, httpx2.ConnectTimeout | httpx2.ConnectError | httpx2.UnsupportedProtocol):
        return UpstreamUnavailable("The service of this modality cannot be reached.")
    if isinstance(error, httpx2.TimeoutException):
        return UpstreamTimeout("The service of this modality did not answer in time.")
    return UpstreamUnavailable("The service of this modality gave no usable answer.")
