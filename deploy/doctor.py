"""`python -m deploy doctor`: look at everything the local system needs, and say what to do.

Needs the standard library only, so that it also runs where the installation is what is broken.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from deploy.answering import examine_processes
from deploy.finding import Finding
from deploy.installation import examine_installation
from deploy.machine import examine_machine
from deploy.model_files import examine_models
from deploy.procfile import BadProcfile, read_procfile

_MARKS = {"ok": "ok   ", "note": "note ", "fault": "FAULT"}


def doctor(root: Path, environment: Mapping[str, str], *, as_json: bool) -> int:
    """Print all findings; return 1 when one of them is a fault."""
    findings = list(examine(root, environment))
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings]))
    else:
        print("\n".join(line for finding in findings for line in _lines(finding)))
    return int(any(finding.state == "fault" for finding in findings))


def examine(root: Path, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Look at installation, models, machine and processes of the system in `root`."""
    yield from examine_installation(root)
    try:
        processes = read_procfile((root / "Procfile").read_text(encoding="utf-8"), environment)
    except (OSError, BadProcfile) as error:
        yield Finding("Procfile", "fault", f"{error}.", "git checkout -- Procfile")
        return
    yield from examine_models(processes, root)
    yield from examine_machine(root / environment.get("GATEWAY_DATA_DIR", "data"))
    yield from examine_processes(processes)


def _lines(finding: Finding) -> Iterator[str]:
    yield f"{_MARKS[finding.state]}  {finding.subject}: {finding.message}"
    if finding.remedy:
        yield f"       {finding.remedy}"
