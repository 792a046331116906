"""Run the requests that the README shows and put their present answers below them.

`python -m deploy.readme_answers [URL]` needs a running system and curl. The answers are shortened
to what a first look needs; where none comes, the old one stays.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

README = Path(__file__).resolve().parent.parent / "README.md"
PRINTED_URL = "http://localhost:8000"
MOST_PROBABILITIES = 3

_BLOCK = re.compile(r"```console\n\$ (?P<command>(?:[^\n]*\\\n)*[^\n]*)\n(?P<answer>[^`]*)```")


def refresh(text: str, url: str) -> str:
    """Return the README with every request's answer as the system at `url` gives it now."""

    def answered(match: re.Match[str]) -> str:
        try:
            answer = json.dumps(shorten(ask(match["command"], url)))
        except subprocess.CalledProcessError as error:
            print(f"{match['command']}: {error.stderr.strip()}", file=sys.stderr)
            return match[0]
        return f"```console\n$ {match['command']}\n{answer}\n```"

    return _BLOCK.sub(answered, text)


def printed_answers(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Return each request that a README shows, with the answer that it prints."""
    return [
        (match["command"], json.loads(match["answer"] or "{}")) for match in _BLOCK.finditer(text)
    ]


def ask(command: str, url: str) -> dict[str, Any]:
    """Run a printed request against the system at `url`; raise CalledProcessError if it fails."""
    program = command.replace(PRINTED_URL, url).replace("curl ", "curl -sS --fail-with-body ", 1)
    result = subprocess.run(
        ["bash", "-c", program], cwd=README.parent, check=True, capture_output=True, text=True
    )
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def shorten(answer: dict[str, Any]) -> dict[str, Any]:
    """Keep outcome, label, the highest probabilities, and what to do next."""
    ranked = sorted(answer["probabilities"].items(), key=lambda item: -item[1])
    short: dict[str, Any] = {"outcome": answer["outcome"], "label": answer["label"]}
    short["probabilities"] = {name: round(p, 3) for name, p in ranked[:MOST_PROBABILITIES]}
    positive = [finding["label"] for finding in answer["findings"] if finding["positive"]]
    if answer["label"] is None and positive:
        short["positive"] = positive
    if answer["reasons"]:
        short["reasons"] = [reason["code"] for reason in answer["reasons"]]
    if answer["triage"]:
        short["triage"] = answer["triage"]["band"]
    return short


if __name__ == "__main__":
    base = sys.argv[1] if len(sys.argv) > 1 else PRINTED_URL
    README.write_text(refresh(README.read_text(), base))
