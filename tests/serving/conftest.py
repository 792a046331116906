"""A small app in the shell, and a client that runs its lifespan without a socket."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx2
import pytest
from fastapi import FastAPI

from serving.app import Shell, create_shell

Client = Callable[[FastAPI], AbstractAsyncContextManager[httpx2.AsyncClient]]


@pytest.fixture
def shell() -> Shell:
    return Shell()


@pytest.fixture
def app(shell: Shell) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        shell.health.mark_ready()
        yield

    return create_shell("Test", lifespan=lifespan, shell=shell)


@pytest.fixture
def client() -> Client:
    @asynccontextmanager
    async def open_client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
        transport = httpx2.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url="http://test") as http,
        ):
            yield http

    return open_client


@pytest.fixture
def call(client: Client) -> Callable[..., Awaitable[httpx2.Response]]:
    """Send one request to an app."""

    async def send(app: FastAPI, method: str, path: str, **options: object) -> httpx2.Response:
        async with client(app) as http:
            return await http.request(method, path, **options)

    return send
