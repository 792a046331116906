"""The ratios, loosely and in CPU time, so that a busy machine decides nothing."""

from __future__ import annotations

import pytest

from bench.film import film
from bench.peers import MODEL
from bench.server import ROOT
from deploy.procfile import model_file
from tests.cpu_time import least_cpu_seconds

CHECKPOINT = model_file("chest-xray", ROOT)
ROUNDS = 6


def test_one_film_costs_clearly_less_cpu_time_than_the_plain_way_takes(monkeypatch):
    torch = pytest.importorskip("torch")
    from bench.pairs import load
    from bench.peers.model import PeerModel
    from serving.timing import Stopwatch
    from vision_service.prepare import prepare

    torch.set_num_threads(1)
    monkeypatch.setenv(MODEL, str(CHECKPOINT))
    ours, plain, payload = load(CHECKPOINT, "onnxruntime"), PeerModel(), film()

    ours_seconds, plain_seconds = least_cpu_seconds(
        lambda: ours.backend.infer(prepare(payload, ours, Stopwatch()).tensor[None]),
        lambda: plain.answer([plain.prepare(payload)]),
        rounds=ROUNDS,
    )

    assert ours_seconds < 0.75 * plain_seconds
