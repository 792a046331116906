"""Giving memory back, in the process that runs the tests."""

import hashlib
import re
from pathlib import Path

import pytest
import torch

from vision_service.heap import give_back

STATUS = Path("/proc/self/status")


def mapped_file_kb() -> int:
    return int(re.search(r"RssFile:\s+(\d+)", STATUS.read_text())[1])


@pytest.mark.skipif(not STATUS.exists(), reason="needs Linux")
def test_code_that_is_not_needed_is_let_go_and_comes_back_when_it_is():
    layer = torch.nn.Conv2d(3, 4, 3).eval()
    picture = torch.rand(1, 3, 16, 16)
    with torch.inference_mode():
        before = layer(picture)
    held = mapped_file_kb()

    give_back()
    left = mapped_file_kb()
    with torch.inference_mode():
        after = layer(picture)

    assert left < held * 0.7
    assert torch.equal(before, after)
    assert hashlib.sha256(b"").hexdigest().startswith("e3b0c442")
