"""Import torchvision without the compiler of torch, which a service never uses.

While it is imported, torchvision asks that compiler one question about an operator for object
detection, and with the answer come 900 modules and 140 MB. Here a stand-in gives the answer.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

_COMPILER = "torch._dynamo"
_QUESTIONS = f"{_COMPILER}.utils"


def import_torchvision() -> None:
    """Import torchvision; in the ordinary way when it is there or asks something else."""
    if "torchvision" in sys.modules or _COMPILER in sys.modules:
        return
    importlib.import_module("torch")
    compiler, questions = ModuleType(_COMPILER), ModuleType(_QUESTIONS)
    vars(compiler).update(__path__=[], utils=questions)
    vars(questions)["is_compile_supported"] = lambda _device: False
    sys.modules |= {_COMPILER: compiler, _QUESTIONS: questions}
    try:
        importlib.import_module("torchvision")
    except (ImportError, AttributeError):
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
    finally:
        del sys.modules[_COMPILER], sys.modules[_QUESTIONS]
