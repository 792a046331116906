"""Compile a model file in a process of its own, whose memory is given back when it ends.

The exporter and what it needs would stay with the service for ever. Run as a program:
`python -m vision_service.compiling MODEL` writes the graph to standard output.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from vision_service.graph import Graph

_SECONDS = 180.0


class CannotCompile(RuntimeError):
    """The other process gave no graph."""


def compile_apart(path: Path) -> Graph:
    """Return the graph of a model file; raise CannotCompile when there is none in time."""
    command = [sys.executable, "-m", "vision_service.compiling", str(path.resolve())]
    try:
        done = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, timeout=_SECONDS, cwd=_ROOT, env=os.environ
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotCompile(type(error).__name__) from error
    return Graph(done.stdout, hashlib.sha256(done.stdout).hexdigest())


_ROOT = Path(__file__).parent.parent


def main(path: Path) -> None:
    """Write the graph of a model file to standard output."""
    from contracts.checkpoint import build_from, read_checkpoint
    from vision_service.graph import compile_graph

    checkpoint = read_checkpoint(path)
    image = checkpoint.release.image
    if image is None:
        raise CannotCompile("the file does not say how pictures are prepared")
    sys.stdout.buffer.write(compile_graph(build_from(checkpoint), image).payload)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
