"""The same question thousands of times, in a crowd of others: the same numbers, bit for bit."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from typing import Any

import httpx2
import pytest

from tests.soak.figures import keep
from tests.soak.samples import sample
from tests.soak.system import System, running
from tests.soak.traffic import JSON, PREDICTIONS

#: Per modality: the sample, its media type, and how often it is asked about.
QUESTIONS = {
    "chest-xray": ("chest-xray/person418_virus_852.jpeg", "image/jpeg", 1500),
    "breast-ultrasound": ("breast-ultrasound/benign-31.png", "image/png", 1000),
    "symptoms": ("symptoms/chills-and-fever.json", JSON, 3500),
    "heart-risk": ("heart-risk/man-58.json", JSON, 4000),
}
CLIENTS = 6
#: Differ by their nature.
_OWN = ("request_id", "prediction_id", "timing_ms")


async def ask_repeatedly(system: System, times: int | None = None) -> dict[str, Counter[str]]:
    """How often each answer was given, by modality; `times` replaces the counts above."""
    given: dict[str, Counter[str]] = {name: Counter() for name in QUESTIONS}
    questions = iter(
        [
            name
            for turn in itertools.zip_longest(
                *([name] * (times or count) for name, (_, _, count) in QUESTIONS.items())
            )
            for name in turn
            if name is not None
        ]
    )

    async def client() -> None:
        async with httpx2.AsyncClient(base_url=system.url, timeout=90) as http:
            for name in questions:
                file, media_type, _ = QUESTIONS[name]
                head = {"content-type": media_type}
                answer = await http.post(
                    PREDICTIONS.format(name), content=sample(file), headers=head
                )
                given[name][_numbers(answer)] += 1

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return given


def _numbers(answer: httpx2.Response) -> str:
    """An answer without what is its own; a refusal by its status."""
    if answer.status_code != 200:
        return f"status {answer.status_code}"
    body: dict[str, Any] = answer.json()
    return json.dumps({key: value for key, value in body.items() if key not in _OWN})


def test_I14_figure_16_in_a_crowd_each_question_has_one_answer(system):
    given = asyncio.run(ask_repeatedly(system, times=25))

    assert {name: len(answers) for name, answers in given.items()} == dict.fromkeys(QUESTIONS, 1)
    assert not any("status" in text[:6] for answers in given.values() for text in answers)


@pytest.mark.soak
def test_I14_figure_16_ten_thousand_repeats_have_one_answer_each(tmp_path):
    with running(tmp_path, tuple(QUESTIONS), GATEWAY_REQUESTS_PER_MINUTE="0") as system:
        given = asyncio.run(ask_repeatedly(system))

    counts = {name: sorted(answers.values(), reverse=True) for name, answers in given.items()}
    keep("repeats", {"answers_by_frequency": counts})
    assert all(len(answers) == 1 for answers in given.values()), counts
