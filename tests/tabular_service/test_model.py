from dataclasses import replace

import numpy as np
import pytest

from contracts.errors import BadCheckpoint
from contracts.estimator import GoldenCase, load_estimator
from contracts.registry import get_modality
from tabular_service.model import TabularModel, learned_digest


def test_golden_cases_pass_on_a_sound_model(heart_model, symptoms_model):
    assert heart_model.control().reason is None
    assert symptoms_model.control().reason is None


def test_C4_golden_logits_that_differ_refuse_the_file(heart_file):
    modality = get_modality("heart-risk")
    saved = load_estimator(heart_file, modality)
    first, *rest = saved.golden
    wrong = GoldenCase(first.document, tuple(value + 1e-3 for value in first.logits))

    with pytest.raises(BadCheckpoint, match="golden"):
        TabularModel(replace(saved, golden=(wrong, *rest)), modality)


@pytest.mark.parametrize("value", [1e300, np.nan, 0.0])
def test_a_weight_that_changes_in_memory_is_noticed(heart_model, value):
    heart_model._saved.estimators["all"]["model"].coef_[0, 5] = value

    assert heart_model.control().reason in ("golden_cases_deviate", "weights_changed")


def test_the_last_bit_of_one_learned_number_changes_the_digest_and_is_noticed(symptoms_model):
    table = symptoms_model._saved.estimators["terms"].feature_log_prob_
    before = learned_digest(symptoms_model._saved.estimators)

    table[40, 130] = np.nextafter(table[40, 130], 0)

    assert learned_digest(symptoms_model._saved.estimators) != before
    assert symptoms_model.control().reason == "weights_changed"


def test_the_description_holds_the_rule_and_the_origin(heart_model):
    info = heart_model.info

    assert (info.modality, info.version, info.device) == ("heart-risk", "v1", "cpu")
    assert info.decision["activation"] == "softmax"
    assert info.provenance["commit"] == "unknown"
