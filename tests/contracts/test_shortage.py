"""Every library has its own words for "no memory"; all of them are the same refusal."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, RuntimeException

from contracts.errors import InvalidInput
from contracts.shortage import is_shortage, out_of_memory

ROOT = Path(__file__).parents[2]
FAR_TOO_MUCH = 2**46
#: Decodes a large progressive JPEG with so many more MiB than the process has; prints the end.
STARVED = """
import io, resource, sys
from pathlib import Path
from PIL import Image
from contracts.errors import ServiceError
from contracts.images import decode_image
from contracts.modality import Limits
from contracts.shortage import is_shortage

stream = io.BytesIO()
Image.new("RGB", (4000, 3000), (9, 90, 200)).save(stream, "JPEG", progressive=True)
small = io.BytesIO()
Image.new("RGB", (64, 64)).save(small, "JPEG")
decode_image(small.getvalue(), Limits(), 896)
unlimited = resource.RLIM_INFINITY
for mebibytes in range(2, 120, 8):
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + mebibytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, unlimited))
    try:
        decode_image(stream.getvalue(), Limits(), 896)
        end = "decoded"
    except ServiceError as error:
        end = error.code
    except Exception as error:
        end = "overloaded" if is_shortage(error) else repr(error)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (unlimited, unlimited))
    print(end)
"""


def of_torch():
    torch.empty(FAR_TOO_MUCH, dtype=torch.uint8)


def of_numpy():
    np.empty(FAR_TOO_MUCH, dtype=np.uint8)


def of_python():
    bytearray(FAR_TOO_MUCH)


@pytest.mark.parametrize("allocate", [of_torch, of_numpy, of_python])
def test_F12_an_allocation_that_fails_is_a_shortage(allocate):
    with pytest.raises((MemoryError, RuntimeError)) as failure:
        allocate()

    assert is_shortage(failure.value)


@pytest.mark.parametrize(
    "error",
    [
        Fail("[ONNXRuntimeError] : 1 : FAIL : bad allocation"),
        RuntimeException("[ONNXRuntimeError] : 6 : Failed to allocate memory for buffer"),
        RuntimeException("[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : std::bad_alloc"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("could not create a primitive"),
        RuntimeError("can't start new thread"),
        OSError(12, "Cannot allocate memory"),
        OSError("out of memory error when reading image file"),
    ],
)
def test_F12_the_words_of_each_library_are_known(error):
    assert is_shortage(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("patient out of memory clinic"),
        RuntimeError("shape mismatch"),
        OSError("broken data stream when reading image file"),
        InvalidInput("The image is damaged."),
    ],
)
def test_another_failure_is_none(error):
    assert not is_shortage(error)


def test_F12_what_came_of_a_shortage_is_one_too():
    try:
        try:
            raise MemoryError
        except MemoryError as error:
            raise ValueError("no answer") from error
    except ValueError as error:
        assert is_shortage(error)


def test_F12_it_is_refused_for_now_and_says_when_to_come_again():
    refusal = out_of_memory()

    assert (refusal.status, refusal.code, refusal.retryable) == (503, "overloaded", True)
    assert refusal.retry_after_seconds


@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are Linux's")
def test_F12_a_picture_for_which_there_is_no_memory_is_not_called_damaged():
    result = subprocess.run(
        [sys.executable, "-c", STARVED], cwd=ROOT, capture_output=True, text=True
    )

    ends = result.stdout.split()
    assert result.returncode == 0, result.stderr
    assert "overloaded" in ends
    assert set(ends) <= {"overloaded", "decoded"}
