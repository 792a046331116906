"""What a run leaves behind."""

from __future__ import annotations

import json

import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from training.fit.run_log import RunLog, progress_bar


def test_every_epoch_stands_in_the_lines_and_in_tensorboard(tmp_path):
    said = []

    with RunLog(tmp_path / "run", said.append) as run_log:
        run_log.epoch({"epoch": 0.0, "loss": 0.5})
        run_log.epoch({"epoch": 1.0, "loss": 0.25})

    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    events = EventAccumulator(str(tmp_path / "run")).Reload()
    assert [json.loads(line)["loss"] for line in lines] == [0.5, 0.25]
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [(0, 0.5), (1, 0.25)]
    assert said == ["epoch=0 loss=0.5", "epoch=1 loss=0.25"]


def test_a_progress_bar_without_a_terminal_only_passes_the_batches_on(capsys):
    batches = [torch.tensor([1]), torch.tensor([2])]

    assert list(progress_bar(batches)) == batches
    assert capsys.readouterr().err == ""
