"""Traces reach a collector on a real socket, and hold nothing of what was sent."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx2
import pytest

from serving.app import Shell, create_shell
from serving.tracing import trace_headers

trace_service_pb2 = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
TRACE = "0af7651916cd43dd8448eb211c80319c"
CANARY = "mf-canary"


class Collector:
    """Takes what exporters send to /v1/traces."""

    def __init__(self):
        self.bodies = bodies = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                bodies.append(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args):
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def spans(self):
        requests = [trace_service_pb2.ExportTraceServiceRequest.FromString(b) for b in self.bodies]
        return [
            span
            for request in requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def collector(monkeypatch):
    collector = Collector()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    yield collector
    collector.close()


def traced_app(app):
    """A second shell around the same lifespan, made where the collector is named."""
    made = create_shell("Traced", lifespan=app.router.lifespan_context, shell=Shell())

    @made.get("/things/{name}")
    async def thing(name: str) -> dict[str, str]:
        return trace_headers()

    @made.get("/fault")
    async def fault() -> None:
        raise RuntimeError(CANARY)

    return made


async def test_a_request_becomes_a_span_in_the_trace_of_its_caller(collector, app, client):
    async with client(traced_app(app)) as http:
        answer = await http.get("/things/7", headers={"traceparent": f"00-{TRACE}-{1:016x}-01"})
        await http.get("/livez")

    (span,) = collector.spans
    facts = {fact.key: fact.value.string_value or fact.value.int_value for fact in span.attributes}
    assert (span.name, span.trace_id.hex()) == ("GET /things/{name}", TRACE)
    assert facts == {
        "http.request.method": "GET",
        "http.route": "/things/{name}",
        "http.response.status_code": 200,
        "mediflow.request_id": answer.headers["x-request-id"],
    }
    assert answer.json() == {"traceparent": f"00-{TRACE}-{span.span_id.hex()}-01"}


async def test_nothing_that_was_sent_stands_in_a_span(collector, app, client):
    async with client(traced_app(app)) as http:
        for path in (f"/things/{CANARY}?q={CANARY}", f"/{CANARY}", "/fault"):
            await http.get(path, headers={"User-Agent": CANARY, "tracestate": f"a={CANARY}"})

    assert len(collector.spans) == 3
    assert not any(CANARY.encode() in body for body in collector.bodies)


async def test_without_a_collector_nothing_is_traced(app, client, monkeypatch):
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    async with client(traced_app(app)) as http:
        assert (await http.get("/things/7")).json() == {}


async def test_a_collector_that_is_gone_disturbs_no_request(app, client, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    async with client(traced_app(app)) as http:
        answer: httpx2.Response = await http.get("/things/7")

    assert answer.status_code == 200
