"""The bootstrap draws whole groups, repeats itself, and its intervals cover about as promised."""

from functools import partial

import numpy as np
import pytest

from training import metrics
from training.measure.bootstrap import (
    Estimate,
    biased_estimate,
    cluster_weights,
    estimate,
    estimates,
    evaluate_draws,
    paired_difference,
    wilson,
)
from training.measure.calibration_error import brier, ece


def test_all_cases_of_a_group_are_drawn_together():
    weights = cluster_weights(["a", "a", "b", "c", "c", "c"], draws=50)

    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 3] == weights[:, 4]).all()
    assert (weights[:, [0, 2, 3]].sum(axis=1) == 3).all()


def test_a_stratified_draw_keeps_the_number_of_groups_of_each_class():
    groups = [str(index) for index in range(30)]
    strata = ["rare"] * 5 + ["common"] * 25

    weights = cluster_weights(groups, strata, draws=40)

    assert (weights[:, :5].sum(axis=1) == 5).all()
    assert (weights[:, 5:].sum(axis=1) == 25).all()


def test_the_same_seed_gives_the_same_draws_and_another_seed_others():
    groups = [str(index) for index in range(20)]

    first, again, other = (cluster_weights(groups, draws=9, seed=seed) for seed in (1, 1, 2))

    assert (first == again).all()
    assert (first != other).any()


def test_intervals_of_a_mean_cover_the_truth_about_as_often_as_promised():
    random = np.random.default_rng(7)
    covered = 0
    for trial in range(120):
        hit = random.random(150) < 0.7
        metric = partial(metrics.share, hit, np.ones(150, dtype=bool))
        weights = cluster_weights([str(index) for index in range(150)], draws=300, seed=trial)
        found = estimate(metric, weights)
        covered += found.low <= 0.7 <= found.high

    assert 0.88 <= covered / 120 <= 1.0


def test_repeated_cases_of_a_group_widen_the_interval():
    random = np.random.default_rng(0)
    hit = np.repeat(random.random(60) < 0.5, 5)
    metric = partial(metrics.share, hit, np.ones(300, dtype=bool))
    by_group = estimate(metric, cluster_weights([str(index // 5) for index in range(300)]))
    by_case = estimate(metric, cluster_weights([str(index) for index in range(300)]))

    assert by_group.high - by_group.low > 1.8 * (by_case.high - by_case.low)


def test_a_paired_difference_of_equal_scores_is_exactly_zero():
    scores = np.random.default_rng(0).random(40)
    metric = partial(metrics.auroc, scores, scores > 0.3)

    found = paired_difference(metric, metric, cluster_weights([str(i) for i in range(40)]))

    assert found == Estimate(0.0, 0.0, 0.0)


def test_a_figure_that_the_cases_do_not_define_has_no_value():
    metric = partial(metrics.auroc, np.array([0.1, 0.2]), np.array([True, True]))

    assert estimate(metric, cluster_weights(["a", "b"])) == Estimate(None, None, None)


def calibrated(count, seed):
    """Probabilities, and outcomes that follow them exactly but for chance."""
    random = np.random.default_rng(seed)
    p = random.random(count)
    return p, random.random(count) < p


@pytest.mark.parametrize("seed", range(8))
def test_the_interval_of_a_calibration_error_holds_its_value_though_draws_lie_above(seed):
    metric = partial(ece, *calibrated(120, seed))
    weights = cluster_weights([str(index) for index in range(120)], draws=300, seed=seed)

    plain, corrected = estimate(metric, weights), biased_estimate(metric, weights)

    assert evaluate_draws(metric, weights).mean() > plain.value
    assert 0 <= corrected.low < corrected.value == plain.value < corrected.high
    assert corrected.high < plain.high


def test_a_biased_figure_is_named_among_the_others():
    p, right = calibrated(60, 0)
    table = {"ece": partial(ece, p, right), "brier": partial(brier, p[:, None], right[:, None])}
    weights = cluster_weights([str(index) for index in range(60)], draws=100)

    found = estimates(table, weights, biased=("ece",))

    assert found["ece"] == biased_estimate(table["ece"], weights)
    assert found["brier"] == estimate(table["brier"], weights)


def test_a_calibration_error_of_no_case_has_no_value():
    metric = partial(metrics.share, np.array([True]), np.array([False]))

    assert biased_estimate(metric, cluster_weights(["a"])) == Estimate(None, None, None)


@pytest.mark.parametrize(
    ("successes", "total", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_wilson_intervals_equal_published_ones(successes, total, low, high):
    assert wilson(successes, total) == pytest.approx((low, high), abs=2e-4)


def test_a_proportion_of_nothing_may_be_anything():
    assert wilson(0, 0) == (0.0, 1.0)
