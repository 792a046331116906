"""The page of a run with independent labels."""

from __future__ import annotations

import numpy as np
import pytest

from contracts.modality import DecisionRule
from contracts.registry import get_modality
from contracts.release import Release
from training.manifest import Row
from training.measure.document import measure
from training.measure.scored import scored_from
from training.report.page import write_report
from training.report.plots import draw_label_confusions

ECG = get_modality("ecg")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A report of eighty invented ECGs."""
    random = np.random.default_rng(0)
    truth, size = random.random((80, 5)) < 0.4, len(ECG.codes)
    rows = [
        Row(str(i), __file__, ";".join(np.asarray(ECG.codes)[one])) for i, one in enumerate(truth)
    ]
    scored = scored_from(rows, 2.0 * truth - 1 + random.normal(size=truth.shape), ECG)
    rule = DecisionRule(
        "sigmoid", (1.0,) * size, (0.0,) * size, (0.0,) * size, (0.4,) * size, (0.1,) * size, size
    )
    figures = {"test": measure(scored, rule, ECG, draws=20)}
    release = Release(modality="ecg", version=1, arch="resnet1d", labels=ECG.codes, decision=rule)
    return write_report(
        tmp_path_factory.mktemp("report"), release, ECG, scored={"test": scored}, figures=figures
    )


def test_the_report_of_independent_labels_shows_the_confusion_of_each(page):
    assert (page.parent / "test-confusion.png").read_bytes().startswith(b"\x89PNG")
    assert 'alt="confusion of test"' in page.read_text()


def test_each_label_has_its_four_counts_with_the_true_ones_on_the_diagonal():
    counts = {"true_negative": 7, "false_positive": 5, "false_negative": 3, "true_positive": 2}
    operating = {code: {"threshold": 0.25} | counts for code in ECG.codes}

    figure = draw_label_confusions(operating)

    assert [axes.get_title() for axes in figure.axes] == [f"{code} from 0.25" for code in ECG.codes]
    for axes in figure.axes:
        shown = {text.get_position(): text.get_text() for text in axes.texts}
        assert shown == {(0, 0): "7", (1, 0): "5", (0, 1): "3", (1, 1): "2"}
