"""Compile a model file in a process of its own, whose memory is given back when it ends.

The exporter and what it needs would stay with the service for ever. Run as a program:
`python -m vision_service.compiling MODEL` writes the compiled form to standard output.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from contracts.checkpoint import read_checkpoint
from vision_service.compiled import Compiled, compile_model, from_bytes
from vision_service.graph import DamagedGraph

_SECONDS = 180.0
_ROOT = Path(__file__).parent.parent


class CannotCompile(RuntimeError):
    """The other process gave no graph."""


def compile_apart(path: Path) -> Compiled:
    """Return the compiled form of a model file; raise CannotCompile when there is none in time."""
    command = [sys.executable, "-m", "vision_service.compiling", str(path.resolve())]
    try:
        done = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, timeout=_SECONDS, cwd=_ROOT, env=os.environ
        )
        return from_bytes(done.stdout)
    except (OSError, subprocess.SubprocessError, DamagedGraph) as error:
        raise CannotCompile(type(error).__name__) from error


def main(path: Path) -> None:
    """Write the compiled form of a model file to standard output."""
    sys.stdout.buffer.write(compile_model(read_checkpoint(path)).to_bytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
