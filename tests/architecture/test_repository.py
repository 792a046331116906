"""What is committed: nothing of one machine, nothing secret, nothing large."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_MODELS_BYTES = 48 * 1024 * 1024
MAX_EXAMPLES_BYTES = 4 * 1024 * 1024

# Written in pieces, so that this file does not find itself.
MACHINE_PATHS = re.compile(r"(?<![\w.$}])/(?:" + "work|home|root|Users" + r")/\w")
REGISTRIES = re.compile(
    "pypi" + r"\.org|python" + r"hosted|--(?:extra-)?index-url|--find" + r"-links"
)
SECRETS = re.compile(
    "|".join(
        (
            "-----BEGIN [A-Z ]*PRIVATE" + " KEY-----",
            r"\bAKIA[0-9A-Z]{16}\b",
            r"\bgh[pousr]_[A-Za-z0-9]{36}\b",
            r"\bsk-[A-Za-z0-9]{32,}\b",
            r"(?i:\b(?:password|secret|token)\s*[=:]\s*['\"][A-Za-z0-9+/]{24,}['\"])",
        )
    )
)


def committed() -> list[Path]:
    """Every file that git tracks; skips outside a checkout."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).exists()]


def matches(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in committed():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        if match := pattern.search(text):
            found.append(f"{path.relative_to(ROOT)}: {match.group()}")
    return found


def size(folder: str) -> int:
    return sum(path.stat().st_size for path in committed() if ROOT / folder in path.parents)


def test_no_file_names_a_place_on_one_machine():
    assert not matches(MACHINE_PATHS)


def test_no_file_names_a_package_registry():
    assert not matches(REGISTRIES)


def test_no_file_holds_what_looks_like_a_secret():
    assert not matches(SECRETS)


def test_the_models_stay_below_48_mib():
    assert size("models") < MAX_MODELS_BYTES


def test_the_examples_stay_small():
    assert 0 < size("examples") < MAX_EXAMPLES_BYTES


def test_only_the_version_that_runs_stays_in_the_tree():
    weights = [path for path in committed() if path.suffix in {".pth", ".skops"}]
    modalities = [path.parent.name for path in weights if ROOT / "models" in path.parents]

    assert len(set(modalities)) == len(modalities)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (MACHINE_PATHS, "data = '/" + "home/someone/chest'"),
        (REGISTRIES, "https://" + "pypi" + ".org/simple"),
        (SECRETS, "token = '" + "a1" * 16 + "'"),
    ],
)
def test_the_patterns_would_find_what_they_are_for(pattern, text):
    assert pattern.search(text)
