"""Two small released model files, made from invented cases, and apps on them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx2
import numpy as np
import pytest
from fastapi import FastAPI

from contracts.modality import DecisionRule, Modality
from contracts.registry import get_modality
from contracts.term_scorer import TERMS
from serving.settings import ServiceSettings
from tabular_service.app import create_app
from tabular_service.model import TabularModel, load_model
from training.tables.heart_model import ColumnCases, Setting, fit_heart
from training.tables.parts import TableParts
from training.tables.symptom_model import fit_naive_bayes
from training.tabular import export_table

ORIGIN = {
    "created": "2026-01-01T00:00:00+00:00",
    "commit": "unknown",
    "libraries": {},
    "config": {},
    "recipe_sha256": "",
    "manifest_sha256": "",
    "manifest": {"source": "invented"},
    "rows_by_part": {},
    "weights_sha256": "",
    "seeds": [0],
    "init": "none",
    "device": "cpu",
    "training_seconds": 0.0,
    "epochs": 0,
}
MAN = {
    "age": 58,
    "sex": "male",
    "blood_pressure": 140,
    "cholesterol": 250,
    "chest_pain": "asymptomatic",
    "max_heart_rate": 125,
    "exercise_angina": True,
}
Opener = Callable[..., AbstractAsyncContextManager[httpx2.AsyncClient]]


def rule_of(modality: Modality, **changes: object) -> DecisionRule:
    size = len(modality.labels)
    members = {
        "activation": "softmax",
        "temperature": (1.25,),
        "bias": (0.0,) * size,
        "shift": (0.0,) * size,
        "thresholds": (0.5,) * size,
        "set_minimum": (0.2,) * size,
        "max_set_size": size,
    }
    return DecisionRule(**(members | changes))


@pytest.fixture(scope="session")
def symptoms_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each disease has three symptoms of its own, in the order of the vocabulary."""
    modality = get_modality("symptoms")
    size = len(modality.vocabulary)
    present = np.zeros((len(modality.codes), size))
    for index in range(len(present)):
        present[index, 3 * index : 3 * index + 3] = 1.0
    parts = TableParts(
        arch="multinomial_naive_bayes",
        columns=tuple(term.id for term in modality.vocabulary),
        decision=rule_of(modality),
        estimators={TERMS: fit_naive_bayes(present, np.array(modality.codes), 0.02)},
        extra={"minimum_terms": 3},
        likelihood_ratios={"heart_attack": {"positive": 9.0, "negative": 0.1}},
        metrics={},
        config={},
    )
    return export_table(parts, ORIGIN, tmp_path_factory.mktemp("models") / "symptoms", modality)


@pytest.fixture(scope="session")
def heart_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hundred invented people whose risk rises with age and thallium defects."""
    modality = get_modality("heart-risk")
    random = np.random.default_rng(0)
    columns = [
        random.choice([code for _, code in column.choices], 200)
        if column.choices
        else random.integers(0, 2, 200)
        if column.kind == "flag"
        else random.integers(column.minimum, column.maximum + 1, 200)
        for column in modality.table.columns
    ]
    values = np.column_stack(columns).astype(float)
    values[::5, 3] = np.nan
    disease = values[:, 0] + 10 * values[:, 12] + random.normal(0, 20, 200) > 110
    cases = ColumnCases(tuple(range(200)), values, disease, np.array(["a"] * 150 + ["b"] * 50))
    model = fit_heart(cases, modality.table, Setting(0.1, 0.5), home="a", masks=2, seed=0)
    parts = TableParts(
        arch="logistic_regression",
        columns=tuple(column.name for column in modality.table.columns),
        decision=rule_of(modality),
        estimators={name: block.pipeline for name, block in model.blocks.items()},
        extra={
            "blocks": {
                name: {
                    "columns": list(block.columns),
                    "sources": list(block.sources),
                    "reference": block.reference,
                }
                for name, block in model.blocks.items()
            },
            "bands": [
                {"band": "low", "minimum": 0.0},
                {"band": "moderate", "minimum": 0.3},
                {"band": "high", "minimum": 0.7},
            ],
        },
        likelihood_ratios={"disease": {"positive": 5.0, "negative": 0.2}},
        metrics={},
        config={},
    )
    return export_table(parts, ORIGIN, tmp_path_factory.mktemp("models") / "heart-risk", modality)


@pytest.fixture
def symptoms_model(symptoms_file: Path) -> TabularModel:
    return load_model(symptoms_file, get_modality("symptoms"))


@pytest.fixture
def heart_model(heart_file: Path) -> TabularModel:
    return load_model(heart_file, get_modality("heart-risk"))


@pytest.fixture
def man() -> dict[str, object]:
    """The seven required columns of one invented man."""
    return dict(MAN)


@pytest.fixture
def settings_for(symptoms_file: Path, heart_file: Path) -> Callable[..., ServiceSettings]:
    def make(modality: str, **changes: object) -> ServiceSettings:
        files = {"symptoms": symptoms_file, "heart-risk": heart_file}
        members = {"modality": modality, "checkpoint": files.get(modality)}
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
def heart(settings_for, opened) -> AbstractAsyncContextManager[httpx2.AsyncClient]:
    return opened(create_app(settings_for("heart-risk")))


@pytest.fixture
def symptoms(settings_for, opened) -> AbstractAsyncContextManager[httpx2.AsyncClient]:
    return opened(create_app(settings_for("symptoms")))
