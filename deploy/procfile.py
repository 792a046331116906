"""The `Procfile`, read: one process per line with its environment, port and command.

Knows the syntax (`name: KEY=value … command`, `${NAME:-value}`), not how processes are started.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

GATEWAY = "gateway"
DEFAULT_PORT = 8000

_LINE = re.compile(r"(?P<name>[a-z][a-z0-9-]*):\s+(?P<rest>\S.*)")
_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_][A-Z0-9_]*):-(?P<default>[^}]*)\}")
_ASSIGNMENT = re.compile(r"[A-Z_][A-Z0-9_]*=")


class BadProcfile(ValueError):
    """A line of the Procfile, or a port in the environment, cannot be used."""


@dataclass(frozen=True, slots=True)
class Process:
    """One line: its name, the variables set for it alone, and its command."""

    name: str
    environment: Mapping[str, str]
    command: tuple[str, ...]

    @property
    def modality(self) -> str | None:
        """The modality id that this process serves; None for the gateway."""
        return self.environment.get("SERVICE_MODALITY")

    @property
    def host(self) -> str:
        """The address it listens on."""
        return self.environment[f"{self._prefix}_HOST"]

    @property
    def port(self) -> int:
        """The TCP port it listens on."""
        return int(self.environment[f"{self._prefix}_PORT"])

    @property
    def port_variable(self) -> str:
        """The variable that moves this process to another port."""
        return f"{self.name.upper().replace('-', '_')}_PORT"

    @property
    def _prefix(self) -> str:
        return "GATEWAY" if self.name == GATEWAY else "SERVICE"


def read_procfile(text: str, environment: Mapping[str, str]) -> tuple[Process, ...]:
    """Return the processes in the order of their lines; raise BadProcfile naming the line."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    processes = tuple(_process(line, environment) for line in lines)
    if len({process.name for process in processes}) != len(processes):
        raise BadProcfile("two lines of the Procfile have the same name")
    return processes


def model_file(modality: str, root: Path) -> Path:
    """Return the model file that the Procfile in `root` names for a modality."""
    processes = read_procfile((root / "Procfile").read_text(), {})
    (service,) = (process for process in processes if process.modality == modality)
    return root / service.environment["SERVICE_CHECKPOINT"]


def upstreams(processes: tuple[Process, ...]) -> dict[str, str]:
    """Return the base URL of every service by modality id, as the gateway wants it."""
    services = (process for process in processes if process.modality)
    return {str(one.modality): f"http://{one.host}:{one.port}" for one in services}


def _process(line: str, environment: Mapping[str, str]) -> Process:
    match = _LINE.fullmatch(line.strip())
    if match is None:
        raise BadProcfile(f"not a Procfile line: {line!r}")
    words = shlex.split(_expand(match["rest"], environment))
    count = next((i for i, word in enumerate(words) if not _ASSIGNMENT.match(word)), len(words))
    if count == len(words):
        raise BadProcfile(f"no command: {line!r}")
    assignments = dict(word.split("=", 1) for word in words[:count])
    process = Process(match["name"], assignments, tuple(words[count:]))
    _check_port(process)
    return process


def _expand(text: str, environment: Mapping[str, str]) -> str:
    """Replace `${NAME:-value}`; a default port moves with PORT."""
    shift = _shift(environment)

    def value(match: re.Match[str]) -> str:
        if chosen := environment.get(match["name"]):
            return shlex.quote(chosen)
        default = match["default"]
        return str(int(default) + shift) if match["name"].endswith("_PORT") else default

    return _VARIABLE.sub(value, text)


def _shift(environment: Mapping[str, str]) -> int:
    base = environment.get("PORT") or str(DEFAULT_PORT)
    if not base.isdigit():
        raise BadProcfile("PORT is not a port number")
    return int(base) - DEFAULT_PORT


def _check_port(process: Process) -> None:
    try:
        known = 0 < process.port < 65_536
    except (KeyError, ValueError):
        known = False
    if not known:
        raise BadProcfile(f"{process.port_variable} is not a port between 1 and 65535")
