"""Answers and results as tests need them."""

from pathlib import Path

from client.batch import Result
from contracts.schemas import InputFacts, ModelRef, Prediction


def prediction(outcome="accepted", **members):
    return Prediction(
        **{
            "prediction_id": "f" * 32,
            "request_id": "r",
            "modality": "chest-xray",
            "outcome": outcome,
            "label": "PNEUMONIA",
            "probabilities": {"PNEUMONIA": 0.9, "NORMAL": 0.1},
            "model": ModelRef(name="m", version="v1", sha256="a" * 64),
            "input": InputFacts(sha256="b" * 64, media_type="image/png"),
            "notice": "Research only.",
        }
        | members
    )


def result(end, file="film.png"):
    return Result(Path(file), "b" * 64, end)
