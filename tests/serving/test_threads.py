"""Thread counts are given to the native libraries before they are loaded."""

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from serving.threads import give_way

ROOT = Path(__file__).parents[2]
PINNED = """
import json, os, sys
from serving.threads import pin_environment
pin_environment(2)
names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
heavy = {"numpy", "torch", "sklearn", "pydantic"} & set(sys.modules)
print(json.dumps([[os.environ[name] for name in names], sorted(heavy)]))
"""
TORCH = """
import json
from serving.threads import pin_environment
pin_environment(1)
import torch
from vision_service.threads import pin_interop, pin_torch
pin_interop()
pin_torch(1)
print(json.dumps([torch.get_num_threads(), torch.get_num_interop_threads()]))
"""


def run(program: str) -> object:
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "7"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_setting_wins_over_the_environment_and_loads_nothing():
    assert run(PINNED) == [["2", "2", "2"], []]


def test_torch_keeps_one_thread_inside_and_one_between_operators():
    assert run(TORCH) == [1, 1]


@pytest.mark.parametrize("service", ["vision_service", "tabular_service"])
def test_both_services_pin_their_threads_by_the_same_function(service):
    source = (ROOT / service / "__main__.py").read_text()

    assert "from serving.threads import pin_environment" in source
    assert "NUM_THREADS" not in source


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a niceness of their own on Linux")
def test_a_computing_thread_gives_way_and_the_others_do_not():
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = niceness()
    with ThreadPoolExecutor(1, "compute", give_way) as pool:
        assert pool.submit(niceness).result() == 10
    assert niceness() == before
