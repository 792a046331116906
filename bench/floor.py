"""The floor: the same work on the same film without any server.

Two processes of one thread each decode, shrink and compute as fast as they can, with the very
functions and the backend that the service uses. Run as a program, this is one of the processes.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from bench.film import film
from bench.server import ROOT

_PROCESSES = 2


def measure(checkpoint: Path, seconds: float) -> float:
    """Return films per second of all processes together."""
    command = [sys.executable, "-m", "bench.floor", str(checkpoint), str(seconds)]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(_PROCESSES)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()  # it is ready
        outputs = [_go(process) for process in processes]
        return sum(float(process.communicate()[0]) for process in outputs)
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _go(process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    assert process.stdin is not None
    process.stdin.write(b"go\n")
    process.stdin.flush()
    return process


def work(checkpoint: Path, seconds: float) -> None:
    """Load, say so, wait for the word, work, and print the films per second."""
    from serving.threads import pin_environment

    pin_environment(1)
    import torch

    from contracts.decoder import decode_input
    from contracts.preprocessing import normalise, reduced_side, to_canonical
    from contracts.registry import get_modality
    from vision_service.model import ModelOptions, load_model

    torch.set_num_threads(1)
    modality = get_modality(checkpoint.parent.name)
    model = load_model(checkpoint, modality, ModelOptions())
    payload, side = film(), reduced_side(model.image)

    def once() -> None:
        decoded = decode_input(payload, modality, keep_side=side, keep_grey=True)
        tensor = normalise(to_canonical(decoded.image, model.image), model.image)
        model.backend.infer(tensor[None])

    once()
    print("ready", flush=True)
    sys.stdin.readline()
    count, until = 0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        once()
        count += 1
    print(count / seconds)


if __name__ == "__main__":
    work(Path(sys.argv[1]), float(sys.argv[2]))
