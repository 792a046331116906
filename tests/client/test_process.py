"""The command line as a process: pipes, exit codes, completion, and what it never says."""

import json
import re
import subprocess
import sys

from client.exits import Exit
from tests.client.conftest import FILM, ROOT


def mediflow(*words, **options):
    return subprocess.run(
        [sys.executable, "-m", "client", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        **options,
    )


def test_a_pipe_gets_the_answer_alone(surroundings):
    result = mediflow("analyze", FILM, "--json", env=surroundings)

    assert result.returncode == Exit.OK, result.stderr
    assert json.loads(result.stdout)["prediction"]["label"] == "PNEUMONIA"
    assert result.stderr == ""


def test_a_bad_key_is_refused_with_what_to_do_and_never_printed(surroundings, tmp_path):
    result = mediflow(
        "receipt", "get", "0" * 32, env=surroundings | {"MEDIFLOW_API_KEY": "mf_wrong_key"}
    )

    assert result.returncode == Exit.REFUSED
    assert "mf_wrong_key" not in result.stdout + result.stderr


def test_the_shell_completes_commands_and_options(surroundings):
    completing = {"_MEDIFLOW_COMPLETE": "complete_bash"}

    commands = mediflow(
        env=surroundings | completing | {"COMP_WORDS": "mediflow re", "COMP_CWORD": "1"}
    )
    options = mediflow(
        env=surroundings | completing | {"COMP_WORDS": "mediflow analyze --re", "COMP_CWORD": "2"}
    )

    assert commands.stdout.split() == ["report", "receipt"]
    assert "--resume" in options.stdout.split()


def test_the_completion_script_is_shown_for_the_shell_that_asks(surroundings):
    typed = f"{sys.executable} -m client --show-completion; exit $?"

    script = subprocess.run(
        ["bash", "-c", typed],
        cwd=ROOT,
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "_MEDIFLOW_COMPLETE" in script.stdout, script.stderr


def test_the_python_example_of_the_guide_runs_as_printed(surroundings):
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/client.md").read_text(), re.S)
    program = program.replace("http://127.0.0.1:8000", surroundings["MEDIFLOW_URL"])

    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.stdout.startswith("accepted NORMAL"), result.stderr
