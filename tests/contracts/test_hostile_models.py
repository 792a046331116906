"""Model files that carry code, and files that are no model, are refused and never run."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from contracts.checkpoint import build_from, load_checkpoint, save_checkpoint
from contracts.errors import BadCheckpoint
from contracts.registry import get_modality
from tests.contracts.gadgets import malicious_files

ROOT = Path(__file__).parents[2]
CHEST = get_modality("chest-xray")


def alone():
    """The words before a command that take its network away, where the system allows it."""
    words = ["unshare", "-Urn"]
    if shutil.which(words[0]) is None:
        return []
    return words if subprocess.run([*words, "true"], check=False).returncode == 0 else []


def watched(files, *options):
    """Load the files in a watched process; return the verdict of each and all events."""
    done = subprocess.run(
        [*alone(), sys.executable, "-m", "tests.contracts.gadgets", "chest-xray"]
        + [str(path) for path in files]
        + list(options),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    *verdicts, last = [json.loads(line) for line in done.stdout.splitlines()]
    return {entry["file"]: entry["verdict"] for entry in verdicts}, last["events"]


@pytest.fixture
def sound():
    """The released file: what an attacker would begin with."""
    (path,) = (ROOT / "models/chest-xray").glob("v*.pth")
    return path


def test_C1_no_code_in_a_model_file_is_ever_run(sound, tmp_path):
    files = malicious_files(tmp_path, sound)

    verdicts, events = watched([sound, *files])

    assert len(verdicts) == len(files) == 45
    assert set(verdicts.values()) == {"refused"}
    assert events == []
    assert not (tmp_path / "marker").exists()


def test_C1_the_watch_would_notice(sound, tmp_path):
    files = malicious_files(tmp_path, sound)

    _, events = watched([sound, *files], "--control")

    assert {"os.system", "subprocess.Popen", "socket.connect", "exec", "open"} <= set(events)
    assert (tmp_path / "marker").exists()


def test_C1_an_altered_file_is_refused_by_its_digest_before_it_is_opened(sound, tmp_path):
    (path, *_) = malicious_files(tmp_path, sound)
    (path.parent / "SHA256SUMS").write_text((sound.parent / "SHA256SUMS").read_text())

    with pytest.raises(BadCheckpoint, match="digest"):
        load_checkpoint(path, CHEST)


def with_digest(folder, payload):
    path = folder / "v1.pth"
    path.write_bytes(payload)
    digest = hashlib.sha256(payload).hexdigest()
    (folder / "SHA256SUMS").write_text(f"{digest}  v1.pth\n")
    return path


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_C2_a_cut_file_is_refused_even_with_a_right_digest(sound, tmp_path, share):
    whole = sound.read_bytes()

    with pytest.raises(BadCheckpoint):
        load_checkpoint(with_digest(tmp_path, whole[: int(len(whole) * share)]), CHEST)


@pytest.mark.parametrize(
    "payload",
    [b"hello", b"PK\x05\x06" + bytes(18), b"\x80\x02K\x01.", b"\x89PNG\r\n\x1a\n", bytes(1000)],
    ids=["text", "empty zip", "a number", "a picture", "zeros"],
)
def test_C2_what_is_no_model_file_is_refused(tmp_path, payload):
    with pytest.raises(BadCheckpoint):
        load_checkpoint(with_digest(tmp_path, payload), CHEST)


@pytest.mark.parametrize(
    "content",
    [{}, torch.zeros(3), [torch.zeros(3)], {"weights": {}}, {"state_dict": {"a": torch.zeros(1)}}],
    ids=["empty dict", "bare tensor", "list", "no release", "another layout"],
)
def test_C3_tensors_without_a_release_are_refused(tmp_path, content):
    torch.save(content, tmp_path / "other")

    with pytest.raises(BadCheckpoint):
        load_checkpoint(with_digest(tmp_path, (tmp_path / "other").read_bytes()), CHEST)


@pytest.mark.parametrize("member", ["arch", "labels", "decision", "weights", "golden_input"])
def test_C3_a_file_that_lacks_a_member_is_refused(sound, tmp_path, member):
    plain = torch.load(sound, weights_only=True)
    del plain[member]
    torch.save(plain, tmp_path / "other")

    with pytest.raises(BadCheckpoint, match="lacks"):
        load_checkpoint(with_digest(tmp_path, (tmp_path / "other").read_bytes()), CHEST)


def prefixed(weights):
    return {f"module.{name}": tensor for name, tensor in weights.items()}


def one_class_more(weights):
    name = "classifier.1.bias"
    return weights | {name: torch.cat([weights[name], weights[name][:1]])}


def one_missing(weights):
    return dict(list(weights.items())[1:])


def one_too_many(weights):
    return weights | {"another.weight": torch.zeros(3)}


@pytest.mark.parametrize("change", [prefixed, one_class_more, one_missing, one_too_many])
def test_C3_weights_of_another_network_are_refused(sound, tmp_path, change):
    checkpoint = load_checkpoint(sound, CHEST)
    changed = replace(checkpoint, weights=change(checkpoint.weights))

    with pytest.raises(BadCheckpoint):
        build_from(load_checkpoint(save_checkpoint(changed, tmp_path), CHEST))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_C4_weights_that_are_no_numbers_are_refused(sound, tmp_path, value):
    plain = torch.load(sound, weights_only=True)
    name = next(iter(plain["weights"]))
    plain["weights"][name].view(-1)[0] = value
    torch.save(plain, tmp_path / "other")

    with pytest.raises(BadCheckpoint, match="finite"):
        load_checkpoint(with_digest(tmp_path, (tmp_path / "other").read_bytes()), CHEST)
