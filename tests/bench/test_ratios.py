"""The ratios, loosely and in CPU time, so that a busy machine decides nothing."""

from __future__ import annotations

import time

import pytest

from bench.film import film
from bench.peers import MODEL
from bench.server import ROOT
from deploy.procfile import model_file

CHECKPOINT = model_file("chest-xray", ROOT)
ROUNDS = 6


def test_one_film_costs_clearly_less_cpu_time_than_the_plain_way_takes(monkeypatch):
    torch = pytest.importorskip("torch")
    from bench.pairs import load, tensor_of
    from bench.peers.model import PeerModel
    from contracts.images import reduced_side

    torch.set_num_threads(1)
    monkeypatch.setenv(MODEL, str(CHECKPOINT))
    ours, plain, payload = load(CHECKPOINT, "onnxruntime"), PeerModel(), film()
    side = reduced_side(ours.image)

    ours_seconds = cpu_seconds(lambda: ours.backend.infer(tensor_of(payload, ours, side)[None]))
    plain_seconds = cpu_seconds(lambda: plain.answer([plain.prepare(payload)]))

    assert ours_seconds < 0.75 * plain_seconds


def cpu_seconds(work) -> float:
    """The least CPU time of a few rounds; the first one only warms up."""
    work()
    spent = []
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        spent.append(time.process_time() - started)
    return min(spent)
