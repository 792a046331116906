import numpy as np
import pytest

from training.release.assess import lowest_supported


def test_149_cases_without_a_label_are_needed_to_support_2_percent():
    truth = np.zeros((149, 2), dtype=bool)
    truth[:1, 1] = True

    enough, one_less = lowest_supported(truth)

    assert enough <= 0.02 < one_less


def test_a_label_that_every_case_has_supports_nothing():
    assert lowest_supported(np.ones((5, 1), dtype=bool)) == [1.0]


@pytest.mark.parametrize("cases", [10, 100, 1000])
def test_that_many_clear_cases_would_still_be_seen_once_in_twenty(cases):
    (lowest,) = lowest_supported(np.zeros((cases, 1), dtype=bool))

    assert (1 - lowest) ** cases == pytest.approx(0.05)
