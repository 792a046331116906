"""Each stanza of `docker-compose.yml`, run as a local process in a folder like its image's."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.architecture.compose_file import ROOT, compose, image_packages
from tests.deploy.net import free_port

SERVICES = compose()["services"]
MODEL_SERVICES = [name for name in SERVICES if name != "gateway"]
SECONDS = 300


def image_folder(target: str, folder: Path) -> Path:
    """A folder with the packages that the image holds, and nothing else of ours."""
    for package in image_packages()[target]:
        (folder / package).symlink_to(ROOT / package)
    return folder


def on_loopback(text: str, port: int) -> str:
    return text.replace("0.0.0.0", "127.0.0.1").replace("8000", str(port))


def environment_of(stanza: Mapping, port: int) -> dict[str, str]:
    settings = {key: on_loopback(value, port) for key, value in stanza["environment"].items()}
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **settings}


@contextmanager
def running(stanza: Mapping, folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    program, *arguments = stanza["command"]
    assert program == "python"
    with (folder.parent / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=folder, env=environment, stdout=log, stderr=log
        )
        try:
            yield
            assert process.poll() is None, (folder.parent / "log").read_text()
        finally:
            process.terminate()
            process.wait(timeout=60)


def probe(stanza: Mapping, port: int) -> int:
    """The exit code of the stanza's health check."""
    _, program, *arguments = stanza["healthcheck"]["test"]
    assert program == "python"
    command = [sys.executable, *(on_loopback(argument, port) for argument in arguments)]
    return subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode


def becomes_healthy(stanza: Mapping, port: int) -> bool:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if probe(stanza, port) == 0:
            return True
        time.sleep(0.5)
    return False


def wait_until_alive(port: int) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=5).close()
        except OSError as error:
            assert time.monotonic() < deadline, f"the process does not answer: {error}"
            time.sleep(0.3)
        else:
            return


@pytest.mark.parametrize("name", MODEL_SERVICES)
def test_a_stanza_with_its_model_becomes_healthy_and_writes_nothing(name, tmp_path):
    stanza = SERVICES[name]
    if not (ROOT / stanza["environment"]["SERVICE_CHECKPOINT"]).exists():
        pytest.skip(f"no model of {name} is released")
    (tmp_path / "app").mkdir()
    folder = image_folder(stanza["build"]["target"], tmp_path / "app")
    (folder / "models").symlink_to(ROOT / "models")
    before, port = sorted(folder.iterdir()), free_port()

    with running(stanza, folder, environment_of(stanza, port)):
        assert becomes_healthy(stanza, port), (tmp_path / "log").read_text()

    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("name", ["ecg", "heart-risk"])
def test_a_stanza_without_its_model_lives_and_says_that_it_is_not_ready(name, tmp_path):
    stanza = SERVICES[name]
    (tmp_path / "app").mkdir()
    folder = image_folder(stanza["build"]["target"], tmp_path / "app")
    port = free_port()

    with running(stanza, folder, environment_of(stanza, port)):
        wait_until_alive(port)
        assert probe(stanza, port) != 0


@pytest.fixture
def gateway(tmp_path: Path) -> tuple[Path, dict[str, str], int]:
    """A folder like the gateway's image, the stanza's environment as it is, and its port."""
    (tmp_path / "app").mkdir()
    port = free_port()
    settings = SERVICES["gateway"]["environment"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **settings}
    environment |= {"GATEWAY_PORT": str(port), "GATEWAY_DATA_DIR": str(tmp_path / "data")}
    return image_folder("gateway", tmp_path / "app"), environment, port


def run_command(gateway: tuple[Path, dict[str, str], int], *arguments: str) -> str:
    folder, environment, _ = gateway
    command = [sys.executable, "-m", "gateway", *arguments]
    result = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def status(url: str, key: str | None = None) -> int:
    request = urllib.request.Request(url, headers={"X-API-Key": key} if key else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code


def test_the_gateway_stanza_is_healthy_and_closed_while_its_services_are_not_there(gateway):
    folder, environment, port = gateway
    run_command(gateway, "secrets", "make")
    key = run_command(gateway, "keys", "make", "--name", "first").split()[-1]

    with running(SERVICES["gateway"], folder, environment):
        assert becomes_healthy(SERVICES["gateway"], port), (folder.parent / "log").read_text()
        # Known by its key, but not allowed this; without a key nobody gets so far.
        url = f"http://127.0.0.1:{port}/metrics"
        assert (status(url), status(url, key)) == (401, 403)

    assert sorted(path.name for path in folder.iterdir()) == sorted(image_packages()["gateway"])


def test_the_gateway_stanza_does_not_start_without_secrets_of_its_own(gateway):
    folder, environment, _ = gateway
    command = [sys.executable, *SERVICES["gateway"]["command"][1:]]

    result = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert result.returncode != 0
    assert "docs/operations.md" in result.stderr


@pytest.mark.parametrize("token", [None, "changeme"])
@pytest.mark.parametrize("name", ["gateway", "ecg", "heart-risk"])
def test_a_stanza_with_a_weak_token_or_none_does_not_start(name, token, tmp_path):
    stanza = SERVICES[name]
    settings = {key: text for key, text in stanza["environment"].items() if "TOKEN" not in key}
    if token is not None:
        prefix = "GATEWAY" if name == "gateway" else "SERVICE"
        settings[f"{prefix}_INTERNAL_TOKEN"] = token

    result = subprocess.run(
        [sys.executable, *stanza["command"][1:]],
        cwd=image_folder(stanza["build"]["target"], tmp_path),
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert result.returncode in {2, 78}
    assert "internal token" in result.stderr
