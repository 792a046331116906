"""DEV-BREAST-2: from a probability to a category."""

import pytest

from gateway.compat.birads import birads_estimate


@pytest.mark.parametrize(
    ("malignancy", "category"),
    [
        (0.0, "3"),
        (0.02, "3"),
        (0.0201, "4A"),
        (0.10, "4A"),
        (0.1001, "4B"),
        (0.50, "4B"),
        (0.5001, "4C"),
        (0.9499, "4C"),
        (0.95, "5"),
        (1.0, "5"),
    ],
)
def test_DEV_BREAST_2_the_bands_of_the_atlas(malignancy, category):
    assert birads_estimate(malignancy, "malignant", 0.01) == f"BI-RADS {category} (estimate)"


@pytest.mark.parametrize(
    ("label", "lowest", "category"),
    [
        ("normal", 0.01, "1"),
        ("benign", 0.01, "2"),
        ("malignant", 0.01, "3"),
        ("benign", 0.005, "3"),
        ("benign", 0.03, "3"),
        ("benign", None, "3"),
    ],
    ids=["normal", "benign", "malignant", "not-below", "too-few-cases", "unknown"],
)
def test_DEV_BREAST_2_essentially_nought_needs_cases_that_show_it(label, lowest, category):
    assert birads_estimate(0.005, label, lowest) == f"BI-RADS {category} (estimate)"


def test_DEV_BREAST_2_never_0_and_never_6():
    found = {
        birads_estimate(step / 1000, label, lowest)
        for step in range(1001)
        for label in ("normal", "benign", "malignant")
        for lowest in (None, 0.0, 0.01, 0.02, 1.0)
    }

    assert found == {
        f"BI-RADS {name} (estimate)" for name in ("1", "2", "3", "4A", "4B", "4C", "5")
    }
