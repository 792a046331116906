"""The decision rule: probabilities mean what they say, and the stated rules hold on the cases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.findings import calibrate, judge
from contracts.registry import get_modality
from training.calibrate import CalibrationSettings, fit_rule, settings_for
from training.manifest import Row
from training.measure import conformal
from training.measure.calibration_error import ece
from training.measure.operating_point import OperatingRule, choose_threshold
from training.measure.scaling import fit_sigmoid, fit_softmax
from training.measure.scored import (
    Scored,
    accepted_of,
    decided_of,
    probabilities_of,
    scored_from,
    set_digest,
    truth_of,
)

CHEST, SKIN, ECG = (get_modality(name) for name in ("chest-xray", "skin-lesion", "ecg"))


def generated(modality, size=600, seed=0, scale=2.0):
    """Cases whose logits are `scale` times the true log-probabilities, so that T = scale."""
    random = np.random.default_rng(seed)
    count = len(modality.codes)
    honest = random.normal(0, 1.6, (size, count))
    if modality.activation == "softmax":
        p = np.exp(honest) / np.exp(honest).sum(axis=1, keepdims=True)
        truth = np.eye(count, dtype=bool)[[random.choice(count, p=row) for row in p]]
    else:
        truth = random.random((size, count)) < 1 / (1 + np.exp(-honest))
    codes = np.array(modality.codes)
    rows = [Row(str(i), __file__, ";".join(codes[truth[i]]), group=str(i)) for i in range(size)]
    return scored_from(rows, honest * scale, modality)


@pytest.fixture(scope="module", params=[CHEST, SKIN, ECG], ids=lambda modality: modality.id)
def fitted(request):
    modality = request.param
    scored = generated(modality)
    return modality, scored, fit_rule(scored, modality, settings_for(modality, {}))


def test_a_temperature_is_recovered():
    scored = generated(SKIN, size=3000, scale=2.0)

    temperature, bias = fit_softmax(scored.logits, scored.truth)

    assert temperature == pytest.approx(2.0, rel=0.1)
    assert np.abs(bias).max() < 0.25


def test_a_bias_makes_good_for_a_sampled_prior():
    scored = generated(SKIN, size=3000, scale=1.0)
    moved = scored.logits + np.linspace(-1, 1, 7)

    _, bias = fit_softmax(moved, scored.truth)

    assert np.asarray(bias) == pytest.approx(-np.linspace(-1, 1, 7), abs=0.3)


def test_a_platt_fit_recovers_slope_and_intercept():
    random = np.random.default_rng(0)
    logits = random.normal(0, 3, 5000)
    truth = random.random(5000) < 1 / (1 + np.exp(-(logits / 1.5 - 0.7)))

    temperature, bias = fit_sigmoid(logits, truth)

    assert (temperature, bias) == pytest.approx((1.5, -0.7), abs=0.12)


def test_a_separable_part_gives_finite_numbers():
    logits = np.array([[5.0, -5.0], [-5.0, 5.0]] * 20)
    truth = logits > 0

    temperature, bias = fit_softmax(logits, truth)
    slope, offset = fit_sigmoid(logits[:, 0], truth[:, 0])

    assert np.isfinite([temperature, *bias, slope, offset]).all()


def test_calibration_lowers_the_calibration_error_on_new_cases():
    cal, new = generated(SKIN, seed=1, scale=3.0), generated(SKIN, seed=2, scale=3.0)
    rule = fit_rule(cal, SKIN, settings_for(SKIN, {}))
    once = np.ones((1, len(new)))

    def error(probabilities):
        right = new.truth[np.arange(len(new)), probabilities.argmax(1)]
        return ece(probabilities.max(1), right, once)[0]

    raw = np.exp(new.logits) / np.exp(new.logits).sum(axis=1, keepdims=True)
    assert error(probabilities_of(new.logits, rule)) < error(raw) / 2


def test_many_cases_get_the_very_answers_of_the_serving_code(fitted):
    modality, scored, rule = fitted
    probabilities = probabilities_of(scored.logits, rule)
    decided, accepted = decided_of(probabilities, rule), accepted_of(probabilities, rule)

    for index in range(len(scored)):
        judgement = judge(scored.logits[index].tolist(), rule, modality)
        assert calibrate(scored.logits[index].tolist(), rule) == pytest.approx(probabilities[index])
        assert (judgement.outcome.value == "accepted") == accepted[index]
        if judgement.label is not None:
            assert decided[index, modality.codes.index(judgement.label)]


def test_the_stated_share_of_calibration_cases_is_answered(fitted):
    _, scored, rule = fitted

    accepted = accepted_of(probabilities_of(scored.logits, rule), rule).mean()

    assert 0.90 <= accepted <= 0.98


def test_the_binary_label_is_positive_exactly_from_its_threshold_on():
    scored = generated(CHEST)
    rule = fit_rule(scored, CHEST, settings_for(CHEST, {"minimum_sensitivity": 0.97}))
    probabilities = probabilities_of(scored.logits, rule)

    decided = decided_of(probabilities, rule)[:, 1]

    assert (decided == (probabilities[:, 1] >= rule.thresholds[1])).all()
    assert decided[scored.truth[:, 1]].mean() >= 0.97


def test_a_stated_sensitivity_is_met_at_the_best_specificity():
    scored = generated(CHEST)
    rule = fit_rule(scored, CHEST, settings_for(CHEST, {"minimum_sensitivity": 0.97}))
    positive = np.sort(probabilities_of(scored.logits, rule)[scored.truth[:, 1], 1])

    above = positive[positive >= rule.thresholds[1]]

    assert len(above) / len(positive) >= 0.97 > (len(above) - 1) / len(positive)


def test_a_balanced_decision_raises_the_recall_of_a_rare_class():
    scored = generated(SKIN, size=4000)
    rare = np.r_[np.flatnonzero(~scored.truth[:, 0]), np.flatnonzero(scored.truth[:, 0])[:60]]
    keep = np.zeros(len(scored), dtype=bool)
    keep[rare] = True
    few = scored.subset(keep)
    plain = fit_rule(few, SKIN, settings_for(SKIN, {}))
    balanced = fit_rule(few, SKIN, settings_for(SKIN, {"balanced_decision": True}))

    def recall(rule):
        decided = decided_of(probabilities_of(few.logits, rule), rule)
        return decided[few.truth[:, 0], 0].mean()

    assert recall(balanced) > recall(plain)
    assert plain.shift == (0.0,) * 7


def test_prediction_sets_hold_the_truth_of_new_cases_as_often_as_promised():
    cal, new = generated(SKIN, 2000, seed=3), generated(SKIN, 2000, seed=4)
    rule = fit_rule(cal, SKIN, settings_for(SKIN, {}))

    held = conformal.class_coverage(probabilities_of(new.logits, rule), new.truth, rule.set_minimum)

    assert held.mean() == pytest.approx(0.9, abs=0.03)
    assert held.min() > 0.8


def test_too_few_cases_promise_nothing_so_the_label_is_always_in_the_set():
    assert conformal.set_minimum(np.array([0.2, 0.9, 0.8]), 0.9) == 0.0


def test_a_harmless_label_with_too_few_cases_keeps_their_lowest_and_a_critical_one_always_stays():
    random = np.random.default_rng(5)
    truth = np.repeat(np.eye(3, dtype=bool), [60, 4, 4], axis=0)
    p = np.where(truth, random.uniform(0.5, 0.9, truth.shape), 0.1)

    common, harmless, critical = conformal.reached_minimums(p, truth, 0.9, (False, False, True))

    assert common == conformal.class_minimums(p, truth, 0.9)[0]
    assert harmless == p[truth[:, 1], 1].min()
    assert critical == 0.0


def test_the_conformal_bound_equals_that_of_mapie():
    from mapie.classification import SplitConformalClassifier
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(0)
    features = random.normal(size=(400, 2))
    classes = (features[:, 0] + random.normal(0, 0.8, 400) > 0).astype(int)
    model = LogisticRegression().fit(features[:200], classes[:200])
    reference = SplitConformalClassifier(
        model, confidence_level=0.9, conformity_score="lac", prefit=True
    )
    reference.conformalize(features[200:], classes[200:])
    own = model.predict_proba(features[200:])[np.arange(200), classes[200:]]
    bound = conformal.set_minimum(own, 0.9)

    _, sets = reference.predict_set(features)

    assert ((model.predict_proba(features) >= bound) == sets[:, :, 0]).mean() > 0.995


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 9999),
    st.sampled_from(["sensitivity", "specificity", "balanced"]),
    st.floats(0.5, 1.0),
)
def test_a_threshold_keeps_its_promise_and_hits_no_case_exactly(seed, kind, at):
    random = np.random.default_rng(seed)
    truth = np.r_[True, False, random.random(60) < 0.4]
    p = np.clip(random.normal(0.35 + 0.3 * truth, 0.15), 0.01, 0.99).round(2)

    threshold = choose_threshold(p, truth, OperatingRule(kind, at))

    positive = p >= threshold
    promised = (~positive)[~truth] if kind == "specificity" else positive[truth]
    assert promised.mean() >= at - 1e-12
    assert 0 < threshold < 1
    assert threshold not in p


def test_a_threshold_needs_both_classes():
    with pytest.raises(ValueError, match="with and without"):
        choose_threshold(np.array([0.1, 0.2]), np.array([True, True]), OperatingRule("balanced"))


def test_a_calibration_part_without_a_label_is_refused():
    scored = generated(SKIN)
    without = scored.subset(~scored.truth[:, 3])

    with pytest.raises(ValueError, match="lacks a label"):
        fit_rule(without, SKIN, settings_for(SKIN, {}))


def test_a_setting_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="accept"):
        settings_for(CHEST, {"accept": "most"})


def test_the_rule_is_put_in_words():
    words = {
        kind: OperatingRule(kind, 0.97).describe()
        for kind in ("sensitivity", "specificity", "balanced")
    }

    assert all("0.97" in text for text in words.values())
    assert isinstance(CalibrationSettings(OperatingRule("balanced")).accept, float)


def test_rows_with_two_labels_where_one_is_possible_are_refused():
    rows = [Row("a", __file__, "mel;nv")]

    with pytest.raises(ValueError, match="exactly one"):
        truth_of(rows, SKIN)
    assert truth_of([Row("a", __file__, "MI;CD")], ECG).sum() == 2


def test_a_foreign_label_and_a_logit_that_is_not_finite_are_refused():
    with pytest.raises(ValueError, match="does not have"):
        truth_of([Row("a", __file__, "cat")], CHEST)
    with pytest.raises(ValueError, match="finite"):
        scored_from([Row("a", __file__, "NORMAL")], np.array([[np.nan, 0.0]]), CHEST)


def test_a_set_of_inputs_has_one_digest_whatever_its_order():
    rows = [Row(str(index), __file__, "NORMAL", sha256=f"{index}" * 4) for index in range(3)]

    assert set_digest(rows) == set_digest(rows[::-1])
    assert set_digest(rows) != set_digest(rows[:2])


def test_a_case_without_group_is_its_own_group():
    scored = Scored((Row("a", __file__, "NORMAL"),), np.zeros((1, 2)), np.eye(2, dtype=bool)[:1])

    assert scored.groups == ["a"]
