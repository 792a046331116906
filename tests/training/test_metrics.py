"""Every metric agrees with scikit-learn, weights included."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from training import metrics
from training.measure import calibration_error, selective

SEEDS = st.integers(0, 10_000)


def binary_case(seed):
    random = np.random.default_rng(seed)
    size = int(random.integers(8, 60))
    scores = random.integers(0, 8, size) / 8.0
    truth = random.random(size) < 0.5
    truth[:2] = (True, False)
    weights = random.integers(1, 4, (1, size)).astype(float)
    return scores, truth, weights


def multiclass_case(seed, classes=3, size=50):
    random = np.random.default_rng(seed)
    truth = np.eye(classes, dtype=bool)[
        np.r_[np.arange(classes), random.integers(classes, size=size - classes)]
    ]
    probabilities = random.dirichlet(np.ones(classes), size)
    decided = np.eye(classes, dtype=bool)[probabilities.argmax(1)]
    weights = random.integers(1, 4, (1, size)).astype(float)
    return truth, probabilities, decided, weights


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_auroc_equals_that_of_scikit_learn_with_ties_and_weights(seed):
    scores, truth, weights = binary_case(seed)

    ours = metrics.auroc(scores, truth, weights)[0]

    assert ours == pytest.approx(reference.roc_auc_score(truth, scores, sample_weight=weights[0]))


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_average_precision_equals_that_of_scikit_learn(seed):
    scores, truth, weights = binary_case(seed)

    ours = metrics.auprc(scores, truth, weights)[0]

    expected = reference.average_precision_score(truth, scores, sample_weight=weights[0])
    assert ours == pytest.approx(expected)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_decision_metrics_equal_those_of_scikit_learn(seed):
    truth, _, decided, weights = multiclass_case(seed)
    classes, answers = truth.argmax(1), decided.argmax(1)
    known = {"sample_weight": weights[0]}

    expected = (
        reference.accuracy_score(classes, answers, **known),
        reference.balanced_accuracy_score(classes, answers, **known),
        reference.f1_score(classes, answers, average="macro", **known),
        reference.f1_score(classes, answers, average="weighted", **known),
    )
    ours = (
        metrics.accuracy(truth, decided, weights)[0],
        metrics.balanced_accuracy(truth, decided, weights)[0],
        metrics.macro_f1(truth, decided, weights)[0],
        metrics.weighted_f1(truth, decided, weights)[0],
    )
    assert ours == pytest.approx(expected)


def test_macro_auroc_is_the_mean_over_one_versus_rest():
    truth, probabilities, _, _ = multiclass_case(1)

    ours = metrics.macro_auroc(probabilities, truth, np.ones((1, len(truth))))[0]

    expected = reference.roc_auc_score(truth.argmax(1), probabilities, multi_class="ovr")
    assert ours == pytest.approx(expected)


def test_log_loss_and_brier_score_equal_those_of_scikit_learn():
    truth, probabilities, _, weights = multiclass_case(2)
    binary = probabilities[:, :1]

    loss = calibration_error.log_loss(probabilities, truth, weights)[0]
    brier = calibration_error.brier(binary, truth[:, :1], weights)[0]

    known = {"sample_weight": weights[0]}
    assert loss == pytest.approx(reference.log_loss(truth.argmax(1), probabilities, **known))
    assert brier == pytest.approx(reference.brier_score_loss(truth[:, 0], binary[:, 0], **known))


def test_the_confusion_matrix_counts_true_by_decided():
    truth, _, decided, _ = multiclass_case(3)

    ours = metrics.confusion(truth, decided)

    assert ours.tolist() == reference.confusion_matrix(truth.argmax(1), decided.argmax(1)).tolist()


def test_a_class_that_a_draw_lacks_gives_nan_and_no_error():
    scores, truth = np.array([0.1, 0.9]), np.array([False, True])

    drawn = metrics.auroc(scores, truth, np.array([[2.0, 0.0], [1.0, 1.0]]))

    assert np.isnan(drawn[0]) and drawn[1] == 1.0


def test_sensitivity_at_fixed_specificity_takes_the_best_allowed_threshold():
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3])
    truth = np.array([True, True, False, True, False, False, False])
    once = np.ones((1, 7))

    assert metrics.sensitivity_at(1.0, scores, truth, once)[0] == pytest.approx(2 / 3)
    assert metrics.sensitivity_at(0.75, scores, truth, once)[0] == 1.0


def test_predictive_values_follow_bayes():
    ppv, npv = metrics.predictive_values(np.array([0.9]), np.array([0.8]), 0.1)

    assert ppv[0] == pytest.approx(0.09 / (0.09 + 0.18))
    assert npv[0] == pytest.approx(0.72 / (0.72 + 0.01))


def test_predictive_values_at_the_observed_prevalence_are_those_of_the_table():
    truth = np.array([True] * 4 + [False] * 6)
    positive = np.array([True, True, True, False, True, False, False, False, False, False])
    once = np.ones((1, 10))

    ppv, npv = metrics.predictive_values(
        metrics.share(positive, truth, once), metrics.share(~positive, ~truth, once), 0.4
    )

    assert ppv[0] == pytest.approx(metrics.share(truth, positive, once)[0])
    assert npv[0] == pytest.approx(metrics.share(~truth, ~positive, once)[0])


def test_fmax_of_perfect_scores_is_one_and_of_useless_scores_is_not():
    truth = np.array([[True, False], [False, True], [True, True]])
    once = np.ones((1, 3))

    assert metrics.fmax(truth * 0.8 + 0.1, truth, once)[0] == pytest.approx(1.0)
    assert metrics.fmax(np.full((3, 2), 0.5), truth, once)[0] == pytest.approx(0.8)


def test_ece_of_a_calibrated_forecast_is_near_zero_and_of_a_boastful_one_is_its_excess():
    random = np.random.default_rng(0)
    confidence = random.random(30_000)
    once = np.ones((1, 30_000))

    honest = calibration_error.ece(confidence, random.random(30_000) < confidence, once)[0]
    boastful = calibration_error.ece(np.full(30_000, 0.9), random.random(30_000) < 0.6, once)[0]

    assert honest < 0.02
    assert boastful == pytest.approx(0.3, abs=0.02)


def test_the_risk_at_a_coverage_is_the_error_among_the_surest():
    confidence = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    wrong = np.array([False, False, False, True, True])
    once = np.ones((1, 5))

    assert selective.risk_at(0.6, confidence, wrong, once)[0] == 0.0
    assert selective.risk_at(1.0, confidence, wrong, once)[0] == pytest.approx(0.4)
    assert selective.aurc(confidence, wrong, once)[0] == pytest.approx((0 + 0 + 0 + 0.25 + 0.4) / 5)
