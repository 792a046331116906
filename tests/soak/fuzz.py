"""One coverage-guided fuzzing run of one parser, by Atheris, in a process of its own.

`python -m tests.soak.fuzz PARSER FOLDER [libFuzzer options]`. The parsers stand in `targets.py`.
Whatever is not one of the declared refusals ends the process with a report, as does an input
that costs more than a second of computing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import atheris

#: Pure Python, whose branches guide the search; Pillow's decoders are beyond its sight.
GUIDED = ["contracts", "gateway", "python_multipart", "zipfile", "json", "difflib"]
MOST_SECONDS = 1.0


class TooSlow(Exception):
    """One input took longer than any may."""


def watched(parse: Callable[[bytes], object], refusal: type[Exception]) -> Callable[[bytes], None]:
    """Return what libFuzzer calls: a refusal is fine, anything else that is raised is a find."""

    def one(data: bytes) -> None:
        started = time.process_time()
        try:
            parse(data)
        except refusal as error:
            assert getattr(error, "status", 500) < 500, error
        if (took := time.process_time() - started) > MOST_SECONDS:
            raise TooSlow(f"{took:.2f} s for {len(data)} bytes")

    return one


def main() -> None:
    """Write the seeds and fuzz until libFuzzer's own limits end it."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    with atheris.instrument_imports(include=GUIDED):
        from contracts.errors import ServiceError
        from tests.soak.targets import TARGETS

        target = TARGETS[name]()
    corpus = folder / "corpus"
    corpus.mkdir(parents=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [f"-artifact_prefix={folder}/", f"-max_len={target.most_bytes}", *sys.argv[3:]]
    atheris.Setup([sys.argv[0], *options, str(corpus)], watched(target.parse, ServiceError))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
