"""Is this Python new enough, and does it hold the packages that were locked?"""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from deploy.finding import Finding

OLDEST, NEWEST = (3, 11), (3, 13)
MOST_NAMED = 5

_PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>[^ ;\\]+)(?P<marker> *;)?", re.M)


def examine_installation(
    root: Path, *, python: tuple[int, int] = (sys.version_info[0], sys.version_info[1])
) -> Iterator[Finding]:
    """Look at the interpreter and at every package of `requirements.lock`."""
    if OLDEST <= python <= NEWEST:
        yield Finding("Python", "ok", f"{platform.python_version()} at {sys.executable}")
    else:
        yield Finding(
            "Python",
            "fault",
            f"{python[0]}.{python[1]} is not supported.",
            "Install Python 3.11, 3.12 or 3.13, then `make clean` and `make demo PYTHON=…`.",
        )
    lock = root / "requirements.lock"
    if lock.exists():
        yield _packages(lock.read_text(encoding="utf-8"))


def _packages(lock: str) -> Finding:
    """Compare what is installed with what is locked; a pin with a marker may be for elsewhere."""
    pins: dict[str, set[str]] = {}
    optional = set()
    for match in _PIN.finditer(lock):
        pins.setdefault(match["name"], set()).add(match["version"])
        if match["marker"]:
            optional.add(match["name"])
    found = {name: _installed(name) for name in pins}
    missing = [name for name, now in found.items() if now is None and name not in optional]
    other = [f"{name} {now}" for name, now in found.items() if now and now not in pins[name]]
    remedy = "Run `make demo` or `make up`: either brings the environment to the lock."
    if missing:
        return Finding("packages", "fault", f"Not installed: {_named(missing)}.", remedy)
    if other:
        return Finding("packages", "note", f"Other than locked: {_named(other)}.", remedy)
    return Finding("packages", "ok", "all as in requirements.lock")


def _installed(name: str) -> str | None:
    """The version without its build, such as `+cpu`; None when it is not there."""
    try:
        return version(name).partition("+")[0]
    except PackageNotFoundError:
        return None


def _named(names: list[str]) -> str:
    rest = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")
