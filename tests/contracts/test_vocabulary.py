import difflib

import pytest

from contracts.errors import InvalidField
from contracts.modalities.symptoms import SYMPTOMS
from contracts.modality import Term
from contracts.vocabulary import Vocabulary, decode_terms, raised_flags
from tests.cpu_time import least_cpu_seconds

VOCABULARY = Vocabulary(SYMPTOMS.vocabulary)


def test_the_plain_words_of_everyday_are_understood():
    words = ["fever", "cough", "headache", "fatigue", "Shortness of breath", "sore throat"]

    found = decode_terms({"symptoms": words}, VOCABULARY)

    assert found.recognised == (
        "high_fever",
        "cough",
        "headache",
        "fatigue",
        "breathlessness",
        "throat_irritation",
    )
    assert found.unrecognised == ()


@pytest.mark.parametrize("spelling", ["chest_pain", "Chest pain", " CHEST-PAIN ", "chest  pain"])
def test_case_hyphens_and_spaces_do_not_matter(spelling):
    assert VOCABULARY.find(spelling) == "chest_pain"


def test_every_id_and_name_stands_for_itself():
    for term in SYMPTOMS.vocabulary:
        assert VOCABULARY.find(term.id) == VOCABULARY.find(term.name) == term.id


def test_X3_an_unknown_word_is_named_by_position_with_close_entries_of_ours():
    found = decode_terms({"symptoms": ["cough", "hedache", "zzzzqqq", ""]}, VOCABULARY)

    assert found.recognised == ("cough",)
    assert [entry.position for entry in found.unrecognised] == [1, 2, 3]
    assert found.unrecognised[0].suggestions[0] == "headache"
    assert found.unrecognised[1].suggestions == []


def test_X3_repeated_entries_count_once_and_are_noticed():
    found = decode_terms({"symptoms": ["cough", "coughing", "headache"]}, VOCABULARY)

    assert found.recognised == ("cough", "headache")
    assert found.repeated


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({}, "missing_field"),
        ({"symptoms": None}, "missing_field"),
        ({"symptoms": "cough"}, "invalid_field"),
        ({"symptoms": ["cough", 1]}, "invalid_field"),
        ({"symptoms": [["cough"]]}, "invalid_field"),
        ({"symptoms": ["cough"] * 65}, "too_many_entries"),
        ({"symptoms": ["x" * 101]}, "text_too_long"),
        ({"symptoms": ["cough"], "is_admin": True}, "unknown_field"),
    ],
)
def test_X3_X4_a_list_that_is_not_one_of_texts_is_refused(document, code):
    with pytest.raises(InvalidField) as caught:
        decode_terms(document, VOCABULARY)

    assert caught.value.code == code


def test_64_unknown_entries_cost_little_time():
    """Less than comparing half of them in full with every spelling."""
    entries = [f"unheard of complaint number {index}" for index in range(64)]
    spellings = {text for term in SYMPTOMS.vocabulary for text in (term.name, *term.synonyms)}

    ours, full = least_cpu_seconds(
        lambda: decode_terms({"symptoms": entries}, VOCABULARY),
        lambda: [
            difflib.SequenceMatcher(None, spelling, entry).ratio()
            for entry in entries[::2]
            for spelling in spellings
        ],
        rounds=2,
    )

    assert ours < full


def test_one_spelling_for_two_entries_is_refused():
    with pytest.raises(ValueError, match="two entries"):
        Vocabulary([Term("a", "Ache"), Term("b", "Bruise", ("ache",))])


@pytest.mark.parametrize(
    ("terms", "codes"),
    [
        (("chest_pain", "breathlessness"), ["acute_coronary_syndrome"]),
        (("chest_pain", "cough"), []),
        (("breathlessness", "cough"), []),
        (("breathlessness", "blood_in_sputum"), ["pulmonary_embolism"]),
        (("weakness_of_one_body_side", "headache"), ["stroke"]),
        (("slurred_speech",), ["stroke_speech"]),
        (("coma",), ["coma"]),
        (("altered_sensorium",), ["altered_consciousness"]),
        (("stiff_neck", "high_fever"), ["meningitis"]),
        (("stiff_neck", "headache"), []),
        (("stomach_bleeding",), ["gastrointestinal_bleeding"]),
        (("acute_liver_failure",), ["liver_failure"]),
        (("sunken_eyes", "dehydration"), ["severe_dehydration"]),
        (("toxic_look", "chills"), ["sepsis"]),
        (
            ("chest_pain", "breathlessness", "swollen_legs"),
            [
                "acute_coronary_syndrome",
                "pulmonary_embolism",
            ],
        ),
        ((), []),
    ],
)
def test_red_flags_fire_on_their_combinations_alone(terms, codes):
    assert [rule.code for rule in raised_flags(terms, SYMPTOMS.red_flags)] == codes


@pytest.mark.parametrize("rule", SYMPTOMS.red_flags, ids=lambda rule: rule.code)
def test_every_red_flag_fires_with_each_of_its_alternatives_and_not_without(rule):
    for alternative in rule.any_of:
        assert rule in raised_flags((*rule.all_of, alternative), SYMPTOMS.red_flags)
        assert rule not in raised_flags((alternative,), SYMPTOMS.red_flags)

    alone = raised_flags(rule.all_of, SYMPTOMS.red_flags)
    assert alone == (() if rule.any_of else (rule,))


def test_every_red_flag_is_urgent_cited_and_built_from_known_entries():
    for rule in SYMPTOMS.red_flags:
        assert rule.triage.band == "urgent"
        assert rule.triage.source
        assert {*rule.all_of, *rule.any_of} <= set(VOCABULARY.ids)


def test_every_disease_has_exactly_one_cited_triage_row():
    assert sorted(row.label for row in SYMPTOMS.triage) == sorted(SYMPTOMS.codes)
    assert all(row.source for row in SYMPTOMS.triage)
