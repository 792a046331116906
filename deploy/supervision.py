"""The configuration of supervisord: who runs, how the dead are restarted, where output goes.

supervisord waits one second longer before each further start of a process that did not stay up
for `START_SECONDS`, and starts one that had been up again at once.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

from deploy.procfile import GATEWAY, Process

# Longer than it takes to import the model stack on a busy machine: a service that refuses its
# model file must count as a failed start, or it would be started again without a pause.
START_SECONDS = 20
# A day of waiting, one second more each time.
START_RETRIES = 400
# Longer than the gateway takes to drain.
STOP_SECONDS = 30


def configuration(processes: Iterable[Process], root: Path, folder: Path, *, quiet: bool) -> str:
    """Return the text of the configuration file.

    `root` is the working directory; `folder` takes supervisord's own files. Output goes to the
    terminal, each line with the process's name, or, when `quiet`, to one file per process in
    `folder`.
    """
    processes = tuple(processes)
    sections = [_main(root, folder), _terminal(), _services(processes)]
    sections += [_program(process, folder if quiet else None) for process in processes]
    return "\n".join(sections)


def _services(processes: Iterable[Process]) -> str:
    """Put the services into one group, so that they are stopped side by side.

    The group that starts last is stopped first: the gateway drains while they still answer.
    """
    names = ",".join(process.name for process in processes if process.name != GATEWAY)
    return f"[group:services]\nprograms={names}\npriority=100\n"


def _main(root: Path, folder: Path) -> str:
    user = "user=root\n" if os.geteuid() == 0 else ""  # Said aloud, it is not warned about.
    return (
        "[supervisord]\n"
        "nodaemon=true\nsilent=true\n"
        f"{user}"
        f"directory={_escape(root)}\n"
        f"logfile={_escape(folder / 'supervisord.log')}\n"
        f"pidfile={_escape(folder / 'supervisord.pid')}\n"
    )


def _terminal() -> str:
    command = shlex.join([sys.executable, str(Path(__file__).with_name("terminal.py"))])
    return (
        "[eventlistener:terminal]\n"
        f"command={_escape(command)}\n"
        "events=PROCESS_LOG,PROCESS_STATE\n"
        "buffer_size=10000\n"
        "stderr_logfile=/dev/fd/2\nstderr_logfile_maxbytes=0\n"
        "stdout_logfile=NONE\n"
        "startsecs=0\npriority=-1\n"
    )


def _program(process: Process, logs: Path | None) -> str:
    return (
        f"[program:{process.name}]\n"
        f"command={_escape(_command(process))}\n"
        "priority=200\n"
        "autorestart=true\n"
        f"startsecs={START_SECONDS}\nstartretries={START_RETRIES}\n"
        f"stopwaitsecs={STOP_SECONDS}\nkillasgroup=true\n"
        "redirect_stderr=true\n"
        f"{_output(process, logs)}"
    )


def _output(process: Process, logs: Path | None) -> str:
    if logs is None:
        return "stdout_events_enabled=true\nstdout_logfile=NONE\n"
    return f"stdout_logfile={_escape(logs / process.name)}.log\n"


def _command(process: Process) -> str:
    program, *arguments = process.command
    interpreter = sys.executable if program == "python" else program
    assignments = [f"{key}={value}" for key, value in process.environment.items()]
    return shlex.join(["/usr/bin/env", *assignments, interpreter, *arguments])


def _escape(value: object) -> str:
    """Protect a value from supervisord's own `%(…)s` expansion."""
    return str(value).replace("%", "%%")
