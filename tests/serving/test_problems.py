import json

import pytest
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

from contracts import errors
from contracts.schemas import Problem
from serving.problems import ErrorBoundary, problem_response

SECRET = "John-Doe-MRN-123"


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    age: int


def all_errors(parent=errors.ServiceError):
    for child in parent.__subclasses__():
        if child.__module__ == "contracts.errors":
            yield child
            yield from all_errors(child)


@pytest.fixture
def routed(app):
    router = APIRouter()

    @router.post("/json")
    async def take(body: Body) -> dict[str, int]:
        return {"age": body.age}

    @router.get("/query")
    async def query(share: float = Query(gt=0, lt=1)) -> dict[str, float]:
        return {"share": share}

    @router.get("/boom")
    async def boom() -> None:
        raise RuntimeError(SECRET)

    @router.get("/half")
    async def half() -> StreamingResponse:
        async def pieces():
            yield b"one"
            raise RuntimeError(SECRET)

        return StreamingResponse(pieces())

    app.include_router(router, prefix="/v1")
    return app


@pytest.mark.parametrize("kind", [errors.ServiceError, *all_errors()])
def test_every_error_of_ours_becomes_a_problem(kind):
    response = problem_response(kind("A sentence of ours."), "id-1")

    problem = Problem.model_validate_json(bytes(response.body))
    assert response.media_type == "application/problem+json"
    assert (problem.status, problem.code) == (kind.status, kind.code)
    assert (problem.request_id, problem.detail) == ("id-1", "A sentence of ours.")
    assert problem.retryable == (kind.status in (429, 502, 503, 504))


@pytest.mark.parametrize("kind", [errors.Overloaded, errors.RateLimited, errors.ModelUnavailable])
def test_what_may_be_retried_says_when(kind):
    given = problem_response(kind("x", retry_after_seconds=7), "id")
    default = problem_response(kind("x"), "id")

    assert given.headers["Retry-After"] == "7"
    assert int(default.headers["Retry-After"]) > 0


def test_T1_an_answer_that_leaves_a_body_unread_closes_the_connection():
    response = problem_response(errors.PayloadTooLarge("x"), "id")

    assert response.headers["Connection"] == "close"


def test_a_caller_may_add_members_of_its_own():
    response = problem_response(
        errors.InvalidInput("x"), "id", extensions={"outcome": "rejected", "reasons": []}
    )

    assert json.loads(bytes(response.body))["outcome"] == "rejected"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"/nowhere/{SECRET}", 404, "not_found"),
        ("DELETE", "/v1/json", 405, "method_not_allowed"),
        ("GET", f"/v1/query?share={SECRET}", 422, "invalid_field"),
        ("GET", "/v1/query?share=nan", 422, "invalid_field"),
        ("GET", "/v1/boom", 500, "internal_error"),
    ],
)
async def test_what_the_framework_answers_is_a_problem_without_the_input(
    routed, call, method, path, status, code
):
    response = await call(routed, method, path)

    problem = Problem.model_validate_json(response.text)
    assert (response.status_code, problem.status, problem.code) == (status, status, code)
    assert response.headers["content-type"] == "application/problem+json"
    assert problem.request_id == response.headers["X-Request-ID"]
    assert SECRET not in response.text


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (f'{{"age": "{SECRET}"}}', 422, "age"),
        (f'{{"age": 1, "{SECRET}": 2}}', 422, None),
        (f'{{"{SECRET}": 2}}', 422, "age"),
        ("{}", 422, "age"),
        (f'{{"age": {SECRET}', 400, None),
        ("[1]", 422, None),
        ('{"age": NaN}', 422, "age"),
        ('{"age": "\\ud800"}', 422, "age"),
    ],
)
async def test_a_bad_json_body_names_our_field_and_never_the_value(
    routed, call, body, status, field
):
    response = await call(
        routed, "POST", "/v1/json", content=body, headers={"Content-Type": "application/json"}
    )

    problem = Problem.model_validate_json(response.text)
    assert (response.status_code, problem.field) == (status, field)
    assert SECRET not in response.text


async def test_a_key_that_was_sent_is_never_taken_for_a_field_of_ours(app, call):
    @app.post("/free")
    async def take(body: dict[str, int]) -> dict[str, int]:
        return body

    response = await call(app, "POST", "/free", json={SECRET: "x"})

    assert (response.status_code, response.json().get("field")) == (422, None)
    assert SECRET not in response.text


async def test_the_method_that_is_allowed_is_named(routed, call):
    response = await call(routed, "GET", "/v1/json")

    assert response.headers["Allow"] == "POST"


async def test_T12_a_caller_that_has_left_gets_no_answer_and_is_no_error():
    sent = []

    async def leaves(scope, receive, send):
        raise ClientDisconnect

    await ErrorBoundary(leaves)({"type": "http"}, None, sent.append)

    assert sent == []


async def test_an_answer_that_breaks_half_way_is_not_completed(routed, client):
    async with client(routed) as http:
        with pytest.raises(RuntimeError):
            await http.get("/v1/half")
        alive = await http.get("/livez")

    assert alive.status_code == 200


@pytest.mark.parametrize(
    "shortage",
    [
        MemoryError("1000000000000 bytes of John Doe"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: John Doe"),
        OSError(12, "Cannot allocate memory", "John Doe"),
    ],
)
async def test_F12_an_input_beyond_the_memory_is_refused_and_may_come_again(app, call, shortage):
    @app.get("/large")
    async def large() -> None:
        raise shortage

    response = await call(app, "GET", "/large")

    problem = response.json()
    assert (response.status_code, problem["code"]) == (503, "overloaded")
    assert problem["retryable"] is True
    assert response.headers["Retry-After"] == "5"
    assert "John" not in response.text
