"""The metrics JSON, its subgroups, ratios and marks, on cases with known answers."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.modality import DecisionRule
from contracts.registry import get_modality
from training.manifest import Row
from training.measure.document import measure
from training.measure.informative import informative_marks
from training.measure.likelihood import likelihood_ratios
from training.measure.scored import scored_from
from training.measure.subgroups import subgroups
from training.metrics import predictive_values
from training.release.plain import plain_values

CHEST, SKIN, ECG = (get_modality(name) for name in ("chest-xray", "skin-lesion", "ecg"))
PROBABILITY = st.floats(0.01, 0.99)


def rule_for(modality, **changes):
    size = len(modality.codes)
    softmax = modality.activation == "softmax"
    known = {
        "activation": modality.activation,
        "temperature": (1.0,) * (1 if softmax else size),
        "bias": (0.0,) * size,
        "shift": (0.0,) * size,
        "thresholds": (0.5,) * size,
        "set_minimum": (0.1,) * size,
        "max_set_size": size,
    }
    return DecisionRule(**(known | changes))


def chest_cases(truth, p):
    rows = [
        Row(str(i), __file__, "PNEUMONIA" if ill else "NORMAL", group=str(i // 2))
        for i, ill in enumerate(truth)
    ]
    p = np.asarray(p)
    return scored_from(rows, np.log(np.column_stack([1 - p, p])), CHEST)


@pytest.fixture(scope="module")
def measured():
    truth = [True] * 6 + [False] * 4
    cases = chest_cases(truth, [0.9, 0.8, 0.7, 0.6, 0.55, 0.3, 0.6, 0.2, 0.1, 0.1])
    return measure(cases, rule_for(CHEST, min_probability=0.58), CHEST, draws=100)


def test_all_inputs_count_whatever_the_outcome(measured):
    assert measured["n"] == 10
    assert measured["groups"] == 5
    assert measured["all"]["accuracy"]["value"] == pytest.approx(0.8)
    assert measured["all"]["sensitivity.PNEUMONIA"]["value"] == pytest.approx(5 / 6)
    assert measured["all"]["specificity.PNEUMONIA"]["value"] == pytest.approx(3 / 4)


def test_accepted_figures_stand_beside_with_their_share(measured):
    assert measured["accepted_share"]["value"] == pytest.approx(0.9)
    assert measured["accepted"]["accuracy"]["value"] == pytest.approx(7 / 9)


def test_counts_at_the_threshold_add_up(measured):
    row = measured["operating"]["PNEUMONIA"]

    counts = [
        row[f"{kind}_{name}"] for kind in ("true", "false") for name in ("positive", "negative")
    ]
    assert counts == [5, 3, 1, 1]
    assert row["sensitivity_wilson"][0] < 5 / 6 < row["sensitivity_wilson"][1]
    assert measured["confusion"] == [[3, 1], [1, 5]]


def test_a_mirror_label_has_no_figures_of_its_own(measured):
    assert "auroc.PNEUMONIA" in measured["all"]
    assert "auroc.NORMAL" not in measured["all"]


def test_a_derived_sum_has_figures(measured):
    random = np.random.default_rng(0)
    rows = [Row(str(i), __file__, SKIN.codes[i % 7]) for i in range(70)]
    cases = scored_from(rows, random.normal(size=(70, 7)), SKIN)

    found = measure(cases, rule_for(SKIN), SKIN, draws=20)

    assert "auroc.malignant_or_premalignant" in found["all"]
    assert found["prediction_sets"]["mean_size"] > 1
    json.dumps(plain_values(found), allow_nan=False)


def test_independent_labels_have_their_own_figures():
    random = np.random.default_rng(0)
    truth = random.random((80, 5)) < 0.4
    codes = np.asarray(ECG.codes)
    rows = [Row(str(i), __file__, ";".join(codes[t])) for i, t in enumerate(truth)]
    cases = scored_from(rows, 4.0 * truth - 2 + random.normal(size=(80, 5)), ECG)

    found = measure(cases, rule_for(ECG), ECG, draws=20)

    assert {"fmax", "exact_match", "auroc.MI", "auprc.macro"} <= set(found["all"])
    assert "confusion" not in found
    assert found["all"]["auroc.macro"]["value"] > 0.9


def test_a_subgroup_below_thirty_cases_is_not_shown():
    rows = [
        Row(str(i), __file__, "NORMAL", attributes={"sex": "f" if i < 29 else "m", "age": "47"})
        for i in range(70)
    ]

    found = {(group.attribute, group.value): group.members.sum() for group in subgroups(rows)}

    assert found == {("sex", "m"): 41, ("age", "40-59"): 70}


def test_ages_that_are_no_numbers_form_no_group():
    rows = [Row(str(i), __file__, "NORMAL", attributes={"age": "unknown"}) for i in range(40)]

    assert subgroups(rows) == []


def test_likelihood_ratios_are_those_of_the_table_and_finite_for_perfect_answers():
    truth = [True] * 99 + [False] * 99
    cases = chest_cases(truth, [0.9] * 90 + [0.1] * 9 + [0.9] * 9 + [0.1] * 90)
    perfect = chest_cases([True, False] * 30, [0.9, 0.1] * 30)

    found = likelihood_ratios(cases, rule_for(CHEST), CHEST)["PNEUMONIA"]
    best = likelihood_ratios(perfect, rule_for(CHEST), CHEST)["PNEUMONIA"]

    assert found["positive"] == pytest.approx(90.5 / 9.5)
    assert found["negative"] == pytest.approx(9.5 / 90.5)
    assert np.isfinite(list(best.values())).all()


@given(PROBABILITY, PROBABILITY, PROBABILITY)
def test_predictive_values_are_post_test_probabilities_by_odds(
    prevalence, sensitivity, specificity
):
    odds = prevalence / (1 - prevalence)
    found, missed = (
        odds * sensitivity / (1 - specificity),
        odds * (1 - sensitivity) / specificity,
    )

    ppv, npv = predictive_values(np.array([sensitivity]), np.array([specificity]), prevalence)

    assert ppv[0] == pytest.approx(found / (1 + found))
    assert 1 - npv[0] == pytest.approx(missed / (1 + missed))


@given(PROBABILITY, PROBABILITY)
def test_a_finding_that_says_nothing_leaves_the_prevalence(prevalence, chance):
    ppv, npv = predictive_values(np.array([chance]), np.array([1 - chance]), prevalence)

    assert ppv[0] == pytest.approx(prevalence)
    assert 1 - npv[0] == pytest.approx(prevalence)


def test_a_mark_on_wrong_answers_is_informative_and_a_random_one_is_not():
    random = np.random.default_rng(0)
    wrong = random.random(400) < 0.2
    marks = [
        [*(["doubt"] if bad and random.random() < 0.8 else []), *(["noise"] if coin else [])]
        for bad, coin in zip(wrong, random.random(400) < 0.5, strict=True)
    ]

    found = informative_marks(marks, wrong, [str(i) for i in range(400)], draws=200)

    assert found["doubt"]["low"] > 0.5
    assert found["noise"]["low"] < 0 < found["noise"]["high"]


def test_a_mark_that_is_hardly_ever_raised_says_nothing():
    found = informative_marks([["rare"]] * 3 + [[]] * 50, np.zeros(53, bool), ["g"] * 53, draws=10)

    assert found == {}


def test_plain_values_hold_no_numpy_and_refuse_what_is_not_finite():
    plain = plain_values({"a": np.float64(1.5), "b": (np.arange(2), [None, True])})

    assert plain == {"a": 1.5, "b": [[0, 1], [None, True]]}
    assert type(plain["a"]) is float
    with pytest.raises(ValueError, match="finite"):
        plain_values({"a": float("nan")})
    with pytest.raises(TypeError, match="set"):
        plain_values({"a": {1}})


def test_a_moved_decision_stands_beside_the_most_probable_label_on_the_same_scores():
    random = np.random.default_rng(1)
    rows = [Row(str(i), __file__, SKIN.codes[i % 7]) for i in range(70)]
    logits = random.normal(size=(70, 7))
    cases = scored_from(rows, logits, SKIN)

    found = measure(cases, rule_for(SKIN, shift=(2.0,) + (0.0,) * 6), SKIN, draws=20)["all"]

    most_probable = (logits.argmax(axis=1) == np.arange(70) % 7).mean()
    assert found["plain.accuracy"]["value"] == pytest.approx(most_probable)
    assert found["accuracy"]["value"] != found["plain.accuracy"]["value"]


def test_a_decision_that_is_not_moved_has_one_set_of_figures(measured):
    assert not [name for name in measured["all"] if name.startswith("plain.")]
