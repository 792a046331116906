"""Has this machine room, memory and the right to write; and is there a GPU that is used?"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from deploy.finding import Finding

GIB = 2**30
LEAST_DISK_BYTES = GIB // 2
ENOUGH_DISK_BYTES = 5 * GIB
#: What all processes of `make up` together hold after the start.
ENOUGH_MEMORY_BYTES = 4 * GIB
MEMORY = Path("/proc/meminfo")


def examine_machine(state: Path) -> Iterator[Finding]:
    """Look at the machine; `state` is the folder of audit and keys."""
    yield examine_disk(state, shutil.disk_usage(existing(state)).free)
    yield _writable(state)
    if MEMORY.exists():
        yield examine_memory(MEMORY.read_text(encoding="ascii"))
    yield _gpu()


def examine_disk(folder: Path, free_bytes: int) -> Finding:
    """Judge the room on the disk of the audit: without it, requests are refused."""
    message = f"{free_bytes / GIB:.1f} GiB free for {folder}"
    if free_bytes < LEAST_DISK_BYTES:
        return Finding("disk", "fault", message, "Make room: a full disk refuses all requests.")
    return Finding("disk", "ok" if free_bytes >= ENOUGH_DISK_BYTES else "note", message)


def examine_memory(meminfo: str) -> Finding:
    """Judge the memory that the kernel calls available."""
    lines = dict(line.split(":", 1) for line in meminfo.splitlines())
    available = int(lines["MemAvailable"].split()[0]) * 1024
    message = f"{available / GIB:.1f} GiB available"
    if available >= ENOUGH_MEMORY_BYTES:
        return Finding("memory", "ok", message)
    return Finding("memory", "note", message, "The system needs up to 4 GiB when it starts.")


def _writable(state: Path) -> Finding:
    """Write a file where the gateway would."""
    folder = existing(state)
    try:
        with tempfile.TemporaryFile(dir=folder):
            return Finding("state folder", "ok", f"{state} can be written")
    except OSError as error:
        return Finding(
            "state folder",
            "fault",
            f"{folder} cannot be written: {error.strerror}.",
            f"chown {os.getuid()} {folder}, or name another with GATEWAY_DATA_DIR.",
        )


def existing(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that exists."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def _gpu() -> Finding:
    """Ask the driver, then torch, in a process of its own as it takes its time and memory."""
    if shutil.which("nvidia-smi") is None:
        return Finding("GPU", "ok", "no NVIDIA driver; models are computed on the CPU")
    cards = _output("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader")
    if not cards:
        return Finding("GPU", "note", "The driver shows no GPU.", "See what `nvidia-smi` says.")
    names = ", ".join(cards.splitlines())
    if _output(sys.executable, "-c", "import torch; print(torch.cuda.is_available())") != "True":
        return Finding(
            "GPU",
            "note",
            f"{names}, but this torch cannot use it; models are computed on the CPU.",
            "Update the driver: `nvidia-smi` names its CUDA version, torch.version.cuda ours.",
        )
    return Finding("GPU", "ok", names)


def _output(*command: str) -> str:
    """What a program prints, empty when it fails."""
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return result.stdout.strip() if result.returncode == 0 else ""
