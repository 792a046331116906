"""Keep torch out of this process.

Importing skops walks every scikit-learn module, and with them torch when it is installed beside:
twice the memory for nothing. A finder that says "not installed" is what scikit-learn expects;
an entry None in `sys.modules` would break SciPy.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class NoTorch(MetaPathFinder):
    """Says that torch is not installed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Raise ModuleNotFoundError for torch and what lies in it; leave the rest to others."""
        if fullname.partition(".")[0] == "torch":
            raise ModuleNotFoundError("torch is kept out of this process", name=fullname)
        return None


def keep_torch_out() -> None:
    """Install the finder once, before anything imports scikit-learn or skops."""
    if not any(isinstance(finder, NoTorch) for finder in sys.meta_path):
        sys.meta_path.insert(0, NoTorch())
