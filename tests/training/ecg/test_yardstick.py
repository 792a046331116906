import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from contracts.registry import get_modality
from tests.contracts.wfdb_samples import counts_of, synthetic_ecg, wfdb_header
from training.ecg.resnet1d import WINDOW, SignalNet, fit_signal_net, score_signals
from training.ecg.yardstick import age_sex_method, figures, linear_method, out_of_fold
from training.manifest import Manifest, Row, write_manifest

ECG = get_modality("ecg")


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def rows_on_disk(folder, count: int = 30) -> tuple[Row, ...]:
    """Records whose heart rate is fast when they are MI; the old are HYP."""
    rows = []
    for index in range(count):
        fast = index % 2 == 0
        counts = counts_of(synthetic_ecg(110 if fast else 60, noise_mv=0.02, seed=index))
        path = folder / f"{index}.hea"
        path.write_text(wfdb_header(counts))
        path.with_suffix(".dat").write_bytes(counts.T.astype("<i2").tobytes())
        old = index % 3 == 0
        label = ";".join([*(["MI"] if fast else ["NORM"]), *(["HYP"] if old else [])])
        facts = {"fold": f"fold{index % 5}", "age": "80" if old else "40", "sex": "male"}
        rows.append(Row(str(index), path, label, "train", f"p{index}", "", facts))
    return tuple(rows)


def test_every_record_is_scored_by_a_fit_that_never_saw_its_fold():
    rows = [Row(str(n), None, "MI", attributes={"fold": f"fold{n % 3}"}) for n in range(9)]
    seen = []

    def method(known, asked):
        seen.append((set(known), set(asked)))
        return np.ones((len(asked), 2))

    scores = out_of_fold(rows, 2, method)

    assert (scores == 1).all()
    assert all(not known & asked and len(known | asked) == 9 for known, asked in seen)
    assert all({n % 3 for n in asked} == {min(asked) % 3} for _, asked in seen)


def test_the_signal_network_learns_what_only_the_signal_shows():
    fast = [synthetic_ecg(120, noise_mv=0.02, seed=n) for n in range(32)]
    slow = [synthetic_ecg(60, noise_mv=0.02, seed=n) for n in range(32)]
    signals = torch.tensor(np.stack([*fast, *slow]), dtype=torch.float32)
    targets = torch.tensor([[1.0]] * 32 + [[0.0]] * 32)

    network = fit_signal_net(signals, targets, seed=0, epochs=8)
    scores = score_signals(network, signals)[:, 0]

    assert scores[:32].min() > scores[32:].max()


def test_the_same_seed_gives_the_same_signal_network():
    signals, targets = torch.randn(32, 12, 1000), torch.ones(32, 2)

    one, other = (fit_signal_net(signals, targets, seed=3, epochs=1) for _ in range(2))

    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_a_record_is_answered_by_the_mean_of_seven_windows():
    network = SignalNet(2).eval()
    signals = torch.randn(3, 12, 1000)

    scores = score_signals(network, signals)

    with torch.inference_mode():
        windows = [
            network(signals[:, :, start : start + WINDOW]).sigmoid()
            for start in (0, 125, 250, 375, 500, 625, 750)
        ]
    torch.testing.assert_close(scores, sum(windows) / 7)


def test_age_and_sex_are_used_and_unknown_age_is_no_error():
    rows = [
        Row(str(n), None, "", attributes={"age": str(20 + n) if n % 7 else "", "sex": "male"})
        for n in range(60)
    ]
    truth = np.array([[n >= 30] for n in range(60)])

    scores = age_sex_method(rows, truth)(np.arange(60), np.arange(60))

    known = [n for n in range(60) if n % 7]
    assert np.corrcoef(scores[known, 0], [n >= 30 for n in known])[0, 1] > 0.8
    assert np.isfinite(scores).all()


def test_a_linear_head_finds_a_linear_label():
    features = np.random.default_rng(0).normal(size=(200, 20))
    truth = features[:, :1] > 0

    scores = linear_method(features, truth)(np.arange(100), np.arange(100, 200))

    assert np.corrcoef(scores[:, 0], truth[100:, 0])[0, 1] > 0.6


def test_the_lead_of_the_page_is_measured_against_each_other_method(tmp_path):
    rows = rows_on_disk(tmp_path)
    truth = np.array([[code in row.labels for code in ECG.codes] for row in rows])
    noise = np.random.default_rng(0).normal(size=truth.shape)

    found = figures(rows, truth, {"page": truth + 0.1 * noise, "age_sex": noise}, ECG)

    assert found["page"]["auroc.macro"]["value"] == 1.0
    assert found["age_sex"]["page_lead"]["low"] > 0
    assert "page_lead" not in found["page"]


@pytest.mark.slow
def test_the_command_writes_figures_and_out_of_fold_scores(tmp_path):
    rows = rows_on_disk(tmp_path)
    held = replace(rows[0], id="held", split="held_out")
    manifest = write_manifest(tmp_path / "ecg.csv", Manifest("ecg", (*rows, held)))

    subprocess.run(
        [sys.executable, "-m", "training.ecg.yardstick", "--manifest", str(tmp_path / "ecg.csv"),
         "--out", str(tmp_path / "out" / "y.json")],
        check=True, timeout=600,
    )  # fmt: skip

    result = json.loads((tmp_path / "out" / "y.json").read_text())
    assert result["manifest_sha256"] == manifest.sha256
    assert set(result["scores"]) == {"age_sex", "signal", "random"}
    assert set(result["scores"]["signal"]) == {row.id for row in rows}
    assert result["figures"]["age_sex"]["auroc"]["HYP"]["value"] > 0.9
