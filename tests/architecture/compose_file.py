"""`docker-compose.yml`, read as compose reads it, and what each image of the `Dockerfile` holds."""

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
TOKEN = {"MEDIFLOW_INTERNAL_TOKEN": "of-these-tests-alone-0123456789abcdef"}
VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?P<kind>:[-?])(?P<text>[^}]*)\}")


def interpolate(text: str, environment: Mapping[str, str]) -> str:
    """What compose does with `${NAME:-default}` and `${NAME:?message}`."""

    def value(match: re.Match[str]) -> str:
        if chosen := environment.get(match["name"]):
            return chosen
        if match["kind"] == ":?":
            raise KeyError(match["name"])
        return match["text"]

    return VARIABLE.sub(value, text)


def compose(environment: Mapping[str, str] = TOKEN) -> dict:
    """The whole file with its anchors merged."""
    return yaml.safe_load(interpolate((ROOT / "docker-compose.yml").read_text(), environment))


def image_packages() -> dict[str, list[str]]:
    """The packages of ours that each target of the `Dockerfile` copies."""
    targets: dict[str, list[str]] = {}
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if match := re.fullmatch(r"FROM base AS (\w+)", line):
            current = targets.setdefault(match[1], [])
        elif match := re.fullmatch(r"COPY (\w+) \1", line):
            current.append(match[1])
    return {name: copied for name, copied in targets.items() if copied}
