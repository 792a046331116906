"""Harmless model files that carry code, and a process that loads files and reports what they do.

`python -m tests.contracts.gadgets MODALITY FILE…` prints one line per file, its verdict, and a
last one with every event of the interpreter that loading must not cause. With `--control` the
files are opened without any care, to show that the watch would notice.
"""

import hashlib
import io
import json
import os
import pickle
import socket
import subprocess
import sys
from pathlib import Path

import torch

#: Events of running programs and of the network; code from a string counts as well.
WATCHED = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "subprocess.Popen",
    "socket.connect",
)


class Gadget:
    """Something that calls a function when it is unpickled."""

    def __init__(self, function, *arguments):
        self._call = (function, arguments)

    def __reduce__(self):
        return self._call


def gadgets(marker):
    """By name: what each would do if it ran; nothing of it harms."""
    return {
        "system": Gadget(os.system, f"touch {marker}"),
        "popen": Gadget(subprocess.Popen, ["touch", str(marker)]),
        "exec": Gadget(exec, f"open({str(marker)!r}, 'w')"),
        "eval": Gadget(eval, "1 + 1"),
        "open": Gadget(open, str(marker), "w"),
        "connect": Gadget(socket.create_connection, ("127.0.0.1", 9), 0.1),
        "getattr": Gadget(getattr, "text", "upper"),
        "import": Gadget(__import__, "webbrowser"),
        "path": Gadget(Path, str(marker)),
    }


def malicious_files(folder, sound):
    """Write every gadget in each wrapping, each with its right digest; return the paths.

    `sound` is a good model file, into whose members some gadgets are put.
    """
    plain = torch.load(sound, weights_only=True) | {"weights": {}}
    paths = []
    for name, gadget in gadgets(folder / "marker").items():
        for wrapping, payload in _wrapped(gadget, plain).items():
            path = folder / f"{name}-{wrapping}" / "v1.pth"
            path.parent.mkdir()
            path.write_bytes(payload)
            digest = hashlib.sha256(payload).hexdigest()
            (path.parent / "SHA256SUMS").write_text(f"{digest}  v1.pth\n")
            paths.append(path)
    return paths


def _wrapped(gadget, plain):
    return {
        "bare": pickle.dumps(gadget, protocol=2),
        "zip": _saved(gadget),
        "member": _saved(plain | {"extra": {"x": gadget}}),
        "weights": _saved(plain | {"weights": gadget}),
        "legacy": _saved({"weights": gadget}, _use_new_zipfile_serialization=False),
    }


def _saved(content, **options):
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


def main(modality_id, files, control):
    from contracts.checkpoint import load_checkpoint
    from contracts.errors import BadCheckpoint
    from contracts.registry import get_modality

    modality, events = get_modality(modality_id), []
    load_checkpoint(files[0], modality)  # imports what loading needs before anybody watches
    sys.addaudithook(
        lambda event, arguments: events.append(event) if _counts(event, arguments) else None
    )
    for path in files[1:]:
        try:
            if control:
                torch.load(path, weights_only=False)
            else:
                load_checkpoint(path, modality)
            verdict = "taken"
        except BadCheckpoint:
            verdict = "refused"
        except Exception as error:
            verdict = type(error).__name__
        _say({"file": path.parent.name, "verdict": verdict})
    _say({"events": sorted(set(events))})


def _say(line):
    sys.stdout.write(json.dumps(line) + "\n")


def _counts(event, arguments):
    """True for an event of the list, but not for the import of a module from its file."""
    if event == "open":
        mode, flags = arguments[1], arguments[2]
        return bool((mode and set(mode) & set("wax+")) or (not mode and flags & os.O_ACCMODE))
    if event == "exec":
        return arguments[0].co_filename == "<string>"
    return event in WATCHED


if __name__ == "__main__":
    main(
        sys.argv[1],
        [Path(name) for name in sys.argv[2:] if name != "--control"],
        "--control" in sys.argv,
    )
