"""The largest picture that is taken, in every mode: what it costs, and whether the probe waits."""

from __future__ import annotations

import asyncio
import io
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from bench.load import once, run
from tests.soak.figures import keep
from tests.soak.system import System
from tests.soak.test_overload import heartbeat
from tests.soak.traffic import PREDICTIONS, post

CHEST = "chest-xray"
WIDTH, HEIGHT = 6400, 6250
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Cost:
    """What one picture cost the service."""

    kind: str
    file_mib: float
    status: int
    seconds: float
    computing_seconds: float
    memory_mib: float
    livez_worst_ms: float


def pictures() -> dict[str, tuple[bytes, str]]:
    """One file per way through the decoder, with its media type; even squares, quickly encoded."""
    squares = np.random.default_rng(1).integers(0, 256, (HEIGHT // 50, WIDTH // 50, 4), np.uint8)
    rgba = Image.fromarray(np.kron(squares, np.ones((50, 50, 1), np.uint8)))
    rgb, grey, sideways = rgba.convert("RGB"), rgba.convert("L"), Image.Exif()
    sideways[0x0112] = 6
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    palette = grey.convert("P")
    return {
        "png-rgba": (encoded(rgba, "PNG"), "image/png"),
        "png-rgba-sideways": (encoded(rgba, "PNG", exif=sideways), "image/png"),
        "png-la": (encoded(rgba.convert("LA"), "PNG"), "image/png"),
        "png-palette": (encoded(palette, "PNG", transparency=bytes(range(256))), "image/png"),
        "png-16-bit": (encoded(deep, "PNG"), "image/png"),
        "png-rgb": (encoded(rgb, "PNG"), "image/png"),
        "jpeg": (encoded(rgb, "JPEG", quality=90), "image/jpeg"),
        "jpeg-progressive": (encoded(rgb, "JPEG", quality=90, progressive=True), "image/jpeg"),
    }


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    """The file; a PNG with little effort."""
    stream = io.BytesIO()
    picture.save(stream, kind, **({"compress_level": 1} if kind == "PNG" else {}), **options)
    return stream.getvalue()


def peak_rss_bytes(pid: int) -> int:
    """The most that a process ever held, since the last `forget_peak`."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def forget_peak(pid: int) -> None:
    """Let the kernel count the peak anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


async def cost_of(system: System, kind: str, payload: bytes, media_type: str) -> Cost:
    """Send one picture and watch the service that decodes it."""
    process, beats = psutil.Process(system.processes[CHEST].pid), list[float]()
    forget_peak(process.pid)
    held, spent = process.memory_info().rss, sum(process.cpu_times()[:2])
    pulse = asyncio.create_task(heartbeat(("127.0.0.1", system.lines[CHEST].port), beats))
    request = post(PREDICTIONS.format(CHEST), payload, media_type)
    answer = await once(("127.0.0.1", system.port), lambda: request)
    pulse.cancel()
    return Cost(
        kind=kind,
        file_mib=len(payload) / MIB,
        status=answer.status,
        seconds=answer.seconds,
        computing_seconds=sum(process.cpu_times()[:2]) - spent,
        memory_mib=(peak_rss_bytes(process.pid) - held) / MIB,
        livez_worst_ms=max(beats) * 1000,
    )


@pytest.mark.soak
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
def test_I13_F15_the_largest_pictures_are_decoded_while_the_probe_answers(chest_system):
    costs = [run(cost_of(chest_system, kind, *file)) for kind, file in pictures().items()]

    keep("largest-pictures", {"pictures": [asdict(cost) for cost in costs]})
    for cost in costs:
        assert cost.status == 200, cost
        assert cost.livez_worst_ms <= 250, cost
        assert cost.computing_seconds < 5, cost
        assert cost.memory_mib < 600, cost
