"""What the audit of a running system holds, beside what its callers were told."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable

from bench.answers import Answer
from tests.e2e.processes import ROOT
from tests.soak.system import System


def lost_or_doubled(system: System, answers: Iterable[Answer]) -> list[str]:
    """The ids of requests that were answered with 200 and have no record, or more than one."""
    file = system.folder / "data" / "mediflow.db"
    with contextlib.closing(sqlite3.connect(file, timeout=30)) as database:
        rows = database.execute("SELECT request_id FROM audit_records").fetchall()
    recorded = Counter(row[0] for row in rows)
    told = [str(one.header("x-request-id")) for one in answers if one.status == 200]
    return [request_id for request_id in told if recorded[request_id] != 1]


def verified(system: System) -> str:
    """What `audit verify` says of the chain; fails when it does not hold."""
    result = subprocess.run(
        [sys.executable, "-m", "gateway", "audit", "verify"],
        cwd=ROOT,
        env=os.environ | {"GATEWAY_DATA_DIR": str(system.folder / "data")},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()
