"""Installed and locked versions are above the known flaws."""

import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).parents[2]

# What each floor closes stands in docs/operations.md.
FLOORS = {
    "python-multipart": "0.0.31",
    "starlette": "1.6.0",
    "fastapi": "0.165.0",
    "pillow": "12.3",
    "torch": "2.14",
    "torchvision": "0.29.2",
}
# Not used today; the floor counts from the day they come in, also through somebody else.
FLOORS_IF_PRESENT = {
    "pyjwt": "2.12",
    "authlib": "1.6.9",
    "pydicom": "3.0.2",
    "pynetdicom": "3.0.4",
}
# Without a fix, without a maintainer, or (the last three) against a decision of ours.
NEVER = ("diskcache", "python-jose", "passlib", "httpx", "reportlab", "fpdf2")

_PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>[^ ;\\]+)", re.MULTILINE)


def locked() -> dict[str, Version]:
    text = (ROOT / "requirements.lock").read_text()
    return {match["name"]: Version(match["version"]) for match in _PIN.finditer(text)}


def installed(name: str) -> Version | None:
    try:
        return Version(version(name))
    except PackageNotFoundError:
        return None


@pytest.mark.parametrize(("name", "floor"), FLOORS.items())
def test_a_package_is_installed_and_locked_at_or_above_its_floor(name, floor):
    assert installed(name) >= Version(floor)
    assert locked()[name] >= Version(floor)


@pytest.mark.parametrize(("name", "floor"), FLOORS_IF_PRESENT.items())
def test_a_package_that_comes_in_sideways_has_its_floor_too(name, floor):
    present = [found for found in (installed(name), locked().get(name)) if found is not None]

    assert all(found >= Version(floor) for found in present)


@pytest.mark.parametrize("name", NEVER)
def test_a_package_without_a_future_is_not_in_the_lock(name):
    assert name not in locked()


def test_every_locked_package_has_a_hash():
    text = (ROOT / "requirements.lock").read_text()
    blocks = re.split(r"\n(?=[a-z0-9])", text)
    without = [block.split("==")[0] for block in blocks if "==" in block and "--hash" not in block]

    assert len(blocks) > 100
    assert not without
