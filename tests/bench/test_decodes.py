"""The reduced decode against the whole one, on the data that a checkout may have beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.server import ROOT

DATA = ROOT.parent / "shared" / "data"


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="the sample data are not beside this checkout")
def test_a_reduced_decode_changes_no_answer_and_hardly_a_probability():
    from bench.decodes import compare_all

    found = compare_all(Path(DATA), films=200)

    assert [one for one in found if not one.holds] == []
    assert sum(one.inputs for one in found if "enlarged" in one.what) == 200
