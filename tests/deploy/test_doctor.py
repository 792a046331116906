"""The doctor finds what is broken and says what to do; on a sound system it finds nothing."""

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from typer.testing import CliRunner

from client.__main__ import app
from deploy.answering import examine_processes
from deploy.installation import examine_installation
from deploy.machine import GIB, examine_disk, examine_machine, examine_memory
from deploy.model_files import examine_models
from deploy.procfile import Process, read_procfile
from tests.architecture.compose_file import ROOT
from tests.deploy.net import free_port


def service(port, checkpoint="models/ecg/v1.pth"):
    environment = {
        "SERVICE_MODALITY": "ecg",
        "SERVICE_CHECKPOINT": checkpoint,
        "SERVICE_HOST": "127.0.0.1",
        "SERVICE_PORT": str(port),
    }
    return Process("ecg", environment, ("python", "-m", "vision_service"))


@pytest.fixture
def model(tmp_path):
    """A released model in a folder of its own, as `(root, file)`."""
    source = ROOT / "models" / "heart-risk"
    shutil.copytree(source, tmp_path / "models" / "ecg")
    (name,) = [path.name for path in source.glob("v*.skops")]
    return tmp_path, tmp_path / "models" / "ecg" / name


def examine_model(root, file):
    (found,) = examine_models([service(1, str(file.relative_to(root)))], root)
    return found


def test_a_released_model_is_in_order(model):
    assert examine_model(*model).state == "ok"


def test_a_flipped_bit_in_a_model_is_a_fault_with_the_way_to_get_it_back(model):
    root, file = model
    payload = bytearray(file.read_bytes())
    payload[len(payload) // 2] ^= 1
    file.write_bytes(payload)

    found = examine_model(root, file)

    assert found.state == "fault"
    assert "damaged" in found.message
    assert found.remedy == "git checkout -- models/ecg"


def test_a_model_without_its_digest_is_a_fault(model):
    root, file = model
    (file.parent / "SHA256SUMS").unlink()

    assert examine_model(root, file).state == "fault"


def test_a_released_model_that_is_gone_is_a_fault_and_one_that_never_was_is_a_note(model):
    root, file = model
    file.unlink()
    gone = examine_model(root, file)
    shutil.rmtree(file.parent)

    never = examine_model(root, file)

    assert (gone.state, never.state) == ("fault", "note")
    assert "503 model_unavailable" in never.message


@contextlib.contextmanager
def listening(status, body):
    """A web server that answers everything alike; yields its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "state", "words"),
    [
        (200, b'{"status": "ready", "reason": null}', "ok", "ready on port"),
        (503, b'{"status": "not_ready", "reason": "model_missing"}', "note", "no model file"),
        (503, b'{"status": "not_ready", "reason": "loading"}', "fault", "still loading"),
        (503, b'{"status": "not_ready", "reason": "new"}', "fault", "It says: new"),
        (200, b"<html>", "fault", "another program"),
        (200, b"[]", "fault", "another program"),
    ],
)
def test_the_owner_of_a_port_is_asked_who_it_is(status, body, state, words):
    with listening(status, body) as port:
        (found,) = examine_processes((service(port),))

    assert found.state == state
    assert words in found.message


def test_a_port_whose_owner_does_not_speak_http_is_a_fault_with_the_way_around(monkeypatch):
    with socket.socket() as owner:
        owner.bind(("127.0.0.1", 0))
        owner.listen()
        monkeypatch.setattr("deploy.answering.TIMEOUT_SECONDS", 0.2)
        (found,) = examine_processes((service(owner.getsockname()[1]),))

    assert found.state == "fault"
    assert "ECG_PORT=<free port>" in found.remedy


def test_a_process_that_is_missing_among_others_is_a_fault_and_a_system_at_rest_is_not():
    with listening(200, b'{"status": "ready"}') as port:
        *_, missing = examine_processes((service(port), service(free_port())))
    (rest,) = examine_processes((service(free_port()),))

    assert missing.state == "fault"
    assert (rest.state, rest.remedy.split(";")[0]) == ("ok", "make up")
    assert "the same PORT" in rest.remedy


def test_a_python_that_is_too_old_and_a_package_that_is_missing_are_faults(tmp_path):
    (tmp_path / "requirements.lock").write_text(
        "no-such-package==1.0 \\\n    --hash=sha256:00\npytest==0.1 \\\n    --hash=sha256:00\n"
        "only-elsewhere==1 ; sys_platform == 'win32' \\\n"
    )

    old, missing = examine_installation(tmp_path, python=(3, 9))

    assert old.state == missing.state == "fault"
    assert "no-such-package" in missing.message
    assert "only-elsewhere" not in missing.message


def test_another_version_than_the_locked_one_is_worth_a_note(tmp_path):
    (tmp_path / "requirements.lock").write_text("pytest==0.1 \\\n")

    *_, packages = examine_installation(tmp_path)

    assert packages.state == "note"
    assert "pytest" in packages.message


def test_a_full_disk_and_little_memory_are_noticed(tmp_path):
    assert examine_disk(tmp_path, GIB // 4).state == "fault"
    assert examine_disk(tmp_path, 2 * GIB).state == "note"
    assert examine_disk(tmp_path, 50 * GIB).state == "ok"
    assert examine_memory("MemTotal: 1 kB\nMemAvailable:    1048576 kB").state == "note"


def test_a_state_folder_that_is_a_file_is_a_fault(tmp_path):
    (tmp_path / "data").touch()

    states = {found.subject: found.state for found in examine_machine(tmp_path / "data")}

    assert states["state folder"] == "fault"


@pytest.fixture
def broken(tmp_path):
    """A checkout whose model files are not those of their digests."""
    for name in ("Procfile", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    for process in read_procfile((ROOT / "Procfile").read_text(), {}):
        if process.modality:
            file = tmp_path / process.environment["SERVICE_CHECKPOINT"]
            file.parent.mkdir(parents=True)
            file.write_bytes(b"weights")
            (file.parent / "SHA256SUMS").write_text(f"{'0' * 64}  {file.name}\n")
    return tmp_path


def test_the_command_exits_with_1_and_shows_the_remedy(broken):
    result = subprocess.run(
        [sys.executable, "-S", "-m", "deploy", "doctor"],
        cwd=broken,
        env={"PORT": str(free_port())},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1, result.stderr
    assert "FAULT  model of ecg: models/ecg/v1.pth is damaged" in result.stdout
    assert "       git checkout -- models/ecg" in result.stdout


def test_mediflow_doctor_shows_what_the_checkout_says_of_itself(broken):
    words = ["doctor", "--directory", str(broken), "--url", f"http://127.0.0.1:{free_port()}"]

    people = CliRunner().invoke(app, words, env={"PORT": "18000"})
    program = CliRunner().invoke(app, [*words, "--json"], env={"PORT": "18000"})

    found = {one["subject"]: one for one in json.loads(program.stdout)}
    assert people.exit_code == program.exit_code == 1
    assert "git checkout -- models/ecg" in people.stdout
    assert found["model of ecg"]["state"] == "fault"


def test_mediflow_doctor_alone_on_a_machine_says_where_to_look(tmp_path):
    words = ["doctor", "--directory", str(tmp_path), "--url", f"http://127.0.0.1:{free_port()}"]

    result = CliRunner().invoke(app, words)

    assert result.exit_code == 0
    assert "python -m deploy doctor" in " ".join(result.stdout.split())
