"""Stand-ins for the inference services, and a gateway around them."""

import hashlib
import json
from contextlib import asynccontextmanager

import httpx2

from gateway.app import create_app
from gateway.settings import GatewaySettings

JPEG_BYTES = b"\xff\xd8\xff\xe0 not really a picture"
PNG_BYTES = b"\x89PNG\r\n\x1a\n not really a picture"
ZIP_BYTES = b"PK\x03\x04 not really an archive"
BASE = "http://gateway.test"
#: What a gateway and its services share beyond loopback.
STRONG_TOKEN = "Zt4kQp8vLx2mWn7bRc5yHd3jFs6gTa9e"


def prediction(payload=JPEG_BYTES, modality="chest-xray", **changes):
    """The JSON of a good answer to `payload`; keyword arguments replace members."""
    return {
        "request_id": "r",
        "modality": modality,
        "outcome": "accepted",
        "label": "NORMAL",
        "probabilities": {"NORMAL": 0.75, "PNEUMONIA": 0.25},
        "model": {"name": modality, "version": "1", "sha256": "0" * 64},
        "input": {"sha256": hashlib.sha256(payload).hexdigest(), "media_type": "image/jpeg"},
        "timing_ms": {"decode": 1.0},
        "notice": "Not a diagnosis.",
    } | changes


def problem(status, code, **members):
    """A problem answer of a service."""
    body = {"title": "T", "status": status, "detail": "Our text.", "code": code, "request_id": "r"}
    return httpx2.Response(
        status,
        content=json.dumps(body | members).encode(),
        headers={"content-type": "application/problem+json"},
    )


class FakeServices:
    """Answers like six healthy services; keeps what it was asked, and can be told to misbehave."""

    def __init__(self):
        self.requests = []
        self.answers = {}
        self.ready = True

    @property
    def transport(self):
        return httpx2.MockTransport(self.handle)

    def asked(self, path):
        """The requests of one path, in order."""
        return [request for request in self.requests if request.url.path == path]

    async def handle(self, request):
        path = request.url.path
        if path == "/readyz":
            return httpx2.Response(200 if self.ready else 503, json={"status": "ready"})
        self.requests.append(request)
        answer = self.answers.get((request.url.host, path)) or self.answers.get(path)
        if answer is not None:
            result = answer(request) if callable(answer) else answer
            return await result if hasattr(result, "__await__") else result
        return self._healthy(request)

    def _healthy(self, request):
        modality, payload = request.url.host.partition(".")[0], request.content
        if request.url.path == "/predict":
            return httpx2.Response(200, json=self._prediction(payload, modality))
        if request.url.path == "/explain":
            prediction_ = self._prediction(payload, modality)
            return httpx2.Response(
                200, json={"prediction": prediction_, "kind": "withheld", "withheld_reason": "x"}
            )
        if request.url.path == "/recognise":
            looks = {"looks_like": "chest-xray", "probabilities": {"chest-xray": 0.99}}
            return httpx2.Response(200, json=looks)
        if request.url.path == "/render":
            return httpx2.Response(200, content=PNG_BYTES, headers={"content-type": "image/png"})
        if request.url.path == "/model":
            return httpx2.Response(200, json=model_info(modality))
        return problem(404, "not_found")

    def _prediction(self, payload, modality):
        return prediction(payload, modality, label=None, probabilities={}, outcome="abstained")


def model_info(modality):
    """What a service says about its model."""
    return {
        "modality": modality,
        "version": "1",
        "sha256": "0" * 64,
        "arch": "efficientnet_b0",
        "labels": ["NORMAL", "PNEUMONIA"],
        "device": "cpu",
        "backend": "onnxruntime",
    }


def settings_for(folder, **changes):
    """Settings of a loopback gateway whose data lie in `folder`, free of the environment."""
    return GatewaySettings(_env_file=None, data_dir=folder, **changes)


@asynccontextmanager
async def open_gateway(folder, services, **changes):
    """Yield a client of a gateway in front of `services`, readiness already polled."""
    app = create_app(settings_for(folder, **changes), transport=services.transport)
    async with app.router.lifespan_context(app):
        await app.state.parts.watch.refresh()
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
            client.app = app
            yield client
