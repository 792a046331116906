"""`make demo` as people see it, and every command of the documents against the running system."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.registry import MODALITIES
from deploy.readme_answers import ask, printed_answers, shorten
from tests.architecture.compose_file import ROOT, compose
from tests.deploy.net import free_port

STANZAS = compose()["services"]
DOCUMENTS = ("docs/api.md", "docs/client.md", "docs/model-cards.md")


def environment(data: Path) -> tuple[dict[str, str], str]:
    """Variables for a system on ports of its own, and its URL."""
    ports = {f"{name.upper().replace('-', '_')}_PORT": str(free_port()) for name in STANZAS}
    url = f"http://127.0.0.1:{ports['GATEWAY_PORT']}"
    return {**os.environ, **ports, "GATEWAY_DATA_DIR": str(data)}, url


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The URL of a system that `demo` started and keeps up, and what `demo` printed."""
    variables, url = environment(tmp_path_factory.mktemp("data"))
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy", "demo"],
        cwd=ROOT,
        env=variables,
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = []
    for line in iter(process.stdout.readline, ""):
        lines.append(line)
        if "stays up" in line:
            break
    try:
        yield url, "".join(lines)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
    assert process.returncode == 0


@pytest.mark.parametrize("modality", [modality.id for modality in MODALITIES])
def test_the_table_shows_an_answer_for_each_modality_that_has_a_model(demo, modality):
    _, printed = demo

    rows = [line for line in printed.splitlines() if line.startswith(f"{modality} ")]

    assert rows
    assert all(re.search(r" (accepted|abstained|rejected) ", row) for row in rows)


def test_the_demo_says_that_it_is_no_diagnosis_and_how_to_go_on(demo):
    url, printed = demo

    assert f"{url}/docs" in printed
    assert f"{url}/\n" in printed
    assert f"mediflow analyze FILE --url {url}\n" in printed
    assert "never a diagnosis" in printed


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_one_curl_request_per_modality_is_answered(demo):
    url, _ = demo

    result = subprocess.run(
        [str(ROOT / "examples" / "requests.sh"), url], capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count('"prediction_id"') == len(MODALITIES)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(("command", "printed"), printed_answers((ROOT / "README.md").read_text()))
def test_the_readme_prints_the_answers_that_the_system_gives(demo, command, printed):
    url, _ = demo
    answer = shorten(ask(command, url))

    assert printed == answer | {"probabilities": pytest.approx(answer["probabilities"], abs=0.02)}


def commands() -> list[tuple[str, str]]:
    """Every `console` block of the documents that asks the running system."""
    blocks = []
    for name in DOCUMENTS:
        if (ROOT / name).exists():
            found = re.findall(r"```console\n(.*?)```", (ROOT / name).read_text(), re.DOTALL)
            blocks += [(name, block) for block in found]
    return blocks


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(("document", "block"), commands())
def test_a_command_of_the_documents_works_as_printed(demo, document, block, tmp_path):
    url, _ = demo
    (tmp_path / "mediflow").write_text(f'#!/bin/sh\nexec {sys.executable} -m client "$@"\n')
    (tmp_path / "mediflow").chmod(0o755)
    typed = re.findall(r"^\$ ", block, re.MULTILINE)
    program = re.sub(r"^\$ ", "", block, flags=re.MULTILINE).replace("http://localhost:8000", url)

    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "OUT": str(tmp_path),
            "MEDIFLOW_URL": url,
            "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        },
    )

    assert typed
    assert result.returncode == 0, f"{document}: {program}\n{result.stdout}{result.stderr}"


def test_DEMO_EXIT_ends_the_demo_after_the_table(tmp_path):
    variables, _ = environment(tmp_path)

    result = subprocess.run(
        [sys.executable, "-m", "deploy", "demo"],
        cwd=ROOT,
        env={**variables, "DEMO_EXIT": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert "stays up" not in result.stdout
