import shlex
import sys
from configparser import RawConfigParser
from pathlib import Path

from deploy.procfile import Process
from deploy.supervision import configuration

GATEWAY = Process("gateway", {"GATEWAY_PORT": "1"}, ("python", "-m", "gateway"))
ECG = Process("ecg", {"SERVICE_CHECKPOINT": "a b/100%.pth"}, ("python", "-m", "vision_service"))


def parsed(*, quiet: bool) -> RawConfigParser:
    text = configuration([GATEWAY, ECG], Path("/root"), Path("/root/.local/1"), quiet=quiet)
    parser = RawConfigParser()
    parser.read_string(text)
    return parser


def test_a_command_runs_on_this_interpreter_with_its_own_variables():
    command = parsed(quiet=False)["program:ecg"]["command"]

    assert shlex.split(command.replace("%%", "%")) == [
        "/usr/bin/env",
        "SERVICE_CHECKPOINT=a b/100%.pth",
        sys.executable,
        "-m",
        "vision_service",
    ]


def test_a_percent_sign_is_not_expanded_by_supervisord():
    assert "100%%.pth" in parsed(quiet=False)["program:ecg"]["command"]


def test_the_gateway_is_stopped_before_the_services_it_needs():
    sections = parsed(quiet=False)

    assert sections["group:services"]["programs"] == "ecg"
    assert int(sections["program:gateway"]["priority"]) > int(
        sections["group:services"]["priority"]
    )


def test_a_quiet_system_writes_one_file_per_process():
    assert parsed(quiet=True)["program:ecg"]["stdout_logfile"] == "/root/.local/1/ecg.log"
    assert parsed(quiet=False)["program:ecg"]["stdout_logfile"] == "NONE"
