import json
import math

import pytest

from contracts.errors import ModelUnavailable
from contracts.registry import get_modality
from contracts.schemas import Outcome
from tabular_service.engine import TabularEngine


async def ask(model, document, **options):
    async with TabularEngine(model) as engine:
        return await engine.predict(json.dumps(document).encode(), request_id="r", **options)


async def test_a_red_flag_is_urgent_whatever_the_ranking_says(symptoms_model):
    found = await ask(symptoms_model, {"symptoms": ["chest pain", "shortness of breath"]})

    assert found.triage.band == "urgent"
    assert found.triage.source.startswith("NICE")
    assert "red_flag" in [warning.code for warning in found.warnings]
    assert found.reasons[0].code == "red_flag"


async def test_enough_known_symptoms_give_a_ranked_answer(symptoms_model):
    words = [term.name for term in get_modality("symptoms").vocabulary[9:12]]

    found = await ask(symptoms_model, {"symptoms": words})

    assert found.outcome is Outcome.ACCEPTED
    assert found.label == get_modality("symptoms").codes[3]
    assert found.probabilities[found.label] == max(found.probabilities.values())
    assert found.triage is not None


async def test_no_known_symptom_abstains_with_equal_probabilities(symptoms_model):
    found = await ask(symptoms_model, {"symptoms": []})

    assert found.outcome is Outcome.ABSTAINED
    assert found.reasons[0].code == "too_few_symptoms"
    assert max(found.probabilities.values()) == pytest.approx(1 / 41)
    assert found.contributions == []


async def test_a_repeated_symptom_counts_once_and_is_said(symptoms_model):
    once = await ask(symptoms_model, {"symptoms": ["cough", "headache", "fatigue"]})
    twice = await ask(symptoms_model, {"symptoms": ["cough", "coughing", "headache", "fatigue"]})

    assert once.probabilities == twice.probabilities
    assert "repeated_entries" in [warning.code for warning in twice.warnings]


async def test_contributions_of_symptoms_explain_first_against_second(symptoms_model):
    document = {"symptoms": ["cough", "headache", "fatigue", "chills"]}

    found = await ask(symptoms_model, document)

    first, second = sorted(found.probabilities.values(), reverse=True)[:2]
    total = sum(entry.contribution for entry in found.contributions)
    assert total == pytest.approx(math.log(first / second))


async def test_the_band_of_heart_risk_follows_the_probability(heart_model, man):
    young = await ask(heart_model, man | {"age": 18, "thallium": "normal"})
    old = await ask(heart_model, man | {"age": 100, "thallium": "reversible_defect"})

    assert young.probabilities["disease"] < 0.3
    assert young.triage.band == "low"
    assert old.probabilities["disease"] > 0.7
    assert old.triage.band == "high"


@pytest.mark.parametrize("given", [{}, {"thallium": "normal"}, {"st_depression": 1.5}])
async def test_contributions_of_columns_add_up_exactly(heart_model, man, given):
    async with TabularEngine(heart_model) as engine:
        found = await engine.explain(json.dumps(man | given).encode(), request_id="r")

    p = found.prediction.probabilities["disease"]
    total = sum(entry.contribution for entry in found.prediction.contributions)
    assert found.checks["baseline_log_odds"] + total == pytest.approx(math.log(p / (1 - p)))


async def test_the_scorer_gives_what_the_pipeline_gives(heart_model, man):
    import numpy as np

    from contracts.tables import decode_table

    row = decode_table(man, heart_model.modality.table)
    pipeline = heart_model._saved.estimators["required"]

    score = heart_model.scorer.score(man)

    expected = pipeline.predict_log_proba(np.array([row.values[:7]], dtype=float))[0]
    assert score.logits == pytest.approx(expected)


async def test_a_model_that_gives_no_number_gives_no_answer(heart_model, man):
    heart_model._saved.estimators["required"]["model"].intercept_[0] = float("nan")

    with pytest.raises(ModelUnavailable):
        await ask(heart_model, man)
