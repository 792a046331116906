"""A tiny model per test session, engines and apps on it, and pictures of many kinds."""

import io
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx2
import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image

from contracts.registry import get_modality
from serving.settings import ServiceSettings
from vision_service.app import create_app
from vision_service.engine import VisionEngine
from vision_service.model import ModelOptions, VisionModel, load_model
from vision_service.threads import ThreadPlan

Opener = Callable[..., AbstractAsyncContextManager[httpx2.AsyncClient]]


@pytest.fixture(scope="session")
def torch_model(tiny_checkpoint_path: Callable[[str], Path]) -> VisionModel:
    """The chest model on torch; do not change its weights."""
    return load_model(
        tiny_checkpoint_path("chest-xray"), get_modality("chest-xray"), ModelOptions("torch", "cpu")
    )


@pytest.fixture
async def engine(torch_model: VisionModel) -> AsyncIterator[VisionEngine]:
    async with VisionEngine(torch_model, ThreadPlan(1, 2, 2)) as opened:
        yield opened


@pytest.fixture(scope="session")
def settings_for(tiny_checkpoint_path: Callable[[str], Path]) -> Callable[..., ServiceSettings]:
    """Settings on the tiny chest model; torch, because it is ready at once."""

    def make(**changes: object) -> ServiceSettings:
        members = {
            "modality": "chest-xray",
            "checkpoint": tiny_checkpoint_path("chest-xray"),
            "backend": "torch",
            "device": "cpu",
        }
        return ServiceSettings(**(members | changes))

    return make


@pytest.fixture
def opened() -> Opener:
    """Open an app, wait until its model is loaded, and give a client."""

    @asynccontextmanager
    async def open_app(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
        transport = httpx2.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url="http://test", timeout=30) as http,
        ):
            await app.state.loading
            yield http

    return open_app


@pytest.fixture
def app(settings_for: Callable[..., ServiceSettings]) -> FastAPI:
    return create_app(settings_for())


def noise_png(seed: int, side: int = 64) -> bytes:
    """Encode a picture that no other seed gives."""
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.fixture(scope="session")
def noise() -> Callable[[int], bytes]:
    return noise_png
