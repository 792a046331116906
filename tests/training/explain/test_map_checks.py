"""The checks of influence maps against maps whose quality is known."""

from __future__ import annotations

import numpy as np
import pytest

from training.explain.map_checks import (
    blur,
    centre_gaussian,
    deletion,
    energy_in_mask,
    enlarge,
    hotspot_ratio,
    insertion,
    pointing_hit,
    similarity,
)

SIDE = 64


def spot(row, column):
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    return np.exp(-((y - row) ** 2 + (x - column) ** 2) / 60.0)


def contrast_in_corner(pictures, label):
    """A score that only looks at the detail in the upper left quarter."""
    return pictures[:, :20, :20].std(axis=(1, 2, 3))


@pytest.fixture
def picture():
    return blur(np.random.default_rng(0).random((SIDE, SIDE, 3), dtype=np.float32))


def test_a_map_of_what_the_score_looks_at_wins_deletion_and_insertion(picture):
    right, wrong = spot(10, 10), spot(54, 54)

    assert deletion(picture, right, 0, contrast_in_corner) < deletion(
        picture, wrong, 0, contrast_in_corner
    )
    assert insertion(picture, right, 0, contrast_in_corner) > insertion(
        picture, wrong, 0, contrast_in_corner
    )


def test_pointing_and_energy_know_the_lesion():
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[:20, :20] = True

    assert pointing_hit(spot(10, 10), mask)
    assert not pointing_hit(spot(50, 50), mask)
    assert energy_in_mask(spot(10, 10), mask) > 5
    assert energy_in_mask(np.ones((SIDE, SIDE)), mask) == pytest.approx(1.0)


def test_a_spot_that_never_moves_is_a_hotspot():
    moving = [spot(row, column) for row in range(0, 64, 8) for column in range(0, 64, 8)]

    assert hotspot_ratio([spot(5, 5)] * 10) > 10
    assert hotspot_ratio(moving) < 2


def test_similarity_is_one_with_itself_and_nothing_with_a_flat_map():
    assert similarity(spot(9, 9), spot(9, 9)) == pytest.approx(1.0)
    assert similarity(spot(9, 9), np.zeros((SIDE, SIDE))) == 0.0


def test_a_raw_map_grows_to_the_picture_and_to_the_unit_range():
    grown = enlarge(np.array([[0.0, 5.0], [1.0, 2.0]]), 30, 40)

    assert grown.shape == (30, 40)
    assert (grown.min(), grown.max()) == (0.0, 1.0)


def test_a_flat_map_stays_flat():
    assert not enlarge(np.ones((4, 4)), 8, 8).any()


def test_the_centred_map_peaks_in_the_middle():
    assert np.unravel_index(centre_gaussian(33, 33).argmax(), (33, 33)) == (16, 16)
