"""What a run leaves for people to watch: JSON lines, TensorBoard events, a progress bar."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

Log = Callable[[str], None]


class RunLog:
    """Writes one epoch after the other to `metrics.jsonl` and TensorBoard; a context manager."""

    def __init__(self, folder: Path, log: Log) -> None:
        """`folder` is made; `log` gets one line per epoch."""
        folder.mkdir(parents=True, exist_ok=True)
        self._lines = folder / "metrics.jsonl"
        self._log = log
        self._writer = SummaryWriter(str(folder))

    def epoch(self, row: dict[str, float]) -> None:
        """Record the figures of one epoch."""
        with self._lines.open("a") as stream:
            stream.write(json.dumps(row) + "\n")
        for name, value in row.items():
            if name != "epoch":
                self._writer.add_scalar(name, value, int(row["epoch"]))
        self._log(" ".join(f"{key}={value:.4g}" for key, value in row.items()))

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Flush and close the event file."""
        self._writer.close()


def progress_bar(batches: Sequence[Tensor]) -> Iterable[Tensor]:
    """Return the batches under a progress bar, which is off when there is no terminal."""
    return tqdm(batches, disable=None, leave=False, unit="batch")
