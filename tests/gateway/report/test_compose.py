"""What stands on the page, in words."""

import pytest

from contracts.errors import UpstreamUnavailable
from contracts.registry import MODALITIES, get_modality
from gateway.report.compose import Case, compose
from gateway.report.words import percent
from tests.gateway.report.cases import (
    MADE,
    TITLES,
    explanation,
    figure,
    mapped,
    page_of,
    png,
    rejected,
)


def names(rows):
    return {row.name: row.value for row in rows}


def test_an_accepted_answer_says_what_its_probability_means():
    page = page_of(explanation())

    assert page.answer.headline == "Pneumonia"
    assert "Calibrated probability 90.0 %" in page.answer.meaning[0]
    assert "of the calibration cases" in page.answer.meaning[0]
    assert page.next_step.band == "high"
    assert page.next_step.timeline == "When: same day."


def test_bars_stand_highest_first_with_threshold_and_set():
    first, second = page_of(explanation()).bars

    assert (first.name, first.share, first.threshold) == ("Pneumonia", 0.9, 0.4)
    assert first.marks == ("above threshold", "in the set")
    assert (second.name, second.marks, second.strong) == ("Normal", (), False)


def test_an_abstained_answer_shows_probabilities_and_reasons_but_no_label():
    reason = {"code": "low_confidence", "message": "The probability is too low."}
    page = page_of(explanation(outcome="abstained", label=None, reasons=[reason]))

    assert page.answer.headline == "Not sure enough for a single answer"
    assert page.answer.reasons == ("The probability is too low.",)
    assert len(page.bars) == 2


def test_a_rejected_input_gives_a_page_that_says_so_and_names_the_kind_it_looks_like():
    page = page_of(rejected())

    assert page.answer.headline == "The input was not analysed"
    assert "nothing on this page says anything about the person" in page.answer.meaning[0]
    assert page.answer.reasons == (
        "This is no chest film. It looks like: Skin lesion (dermoscopy).",
    )
    assert page.bars == () and page.bar_notes == ()
    assert "Check that the right file was sent" in page.next_step.step
    assert len(page.figures) == 1


def test_findings_of_an_ecg_are_named_together():
    page = page_of(explanation("ecg", positive=("MI", "STTC"), label="MI"))

    assert page.answer.headline == "Myocardial infarction · ST/T change"
    assert page.wide


def test_facts_of_an_ecg_are_in_words():
    facts = {
        "sampling_rate_hz": 100.0,
        "duration_seconds": 10.0,
        "lead_names": ["I", "II"],
        "heart_rate_bpm": None,
        "heart_rate_missing": "too_few_beats",
        "quality.blur": 3.0,
    }
    shown = names(page_of(explanation("ecg", positive=("MI",), measurements=facts)).facts)

    assert shown["Leads"] == "I, II"
    assert shown["No heart rate, because"] == "there are too few beats"
    assert not [name for name in shown if "blur" in name.lower()]


def test_warnings_stand_with_the_input():
    warning = {"code": "quality.blur", "message": "The picture is blurred."}

    assert names(page_of(explanation(warnings=[warning])).facts)["Checks of the input"] == (
        "The picture is blurred."
    )
    assert "No warning" in names(page_of(explanation()).facts)["Checks of the input"]


def test_a_map_has_the_frame_of_what_it_covers():
    whole = page_of(mapped(), picture=png(400, 300))
    skin = page_of(
        mapped("skin-lesion", positive=("mel",)).model_copy(update={"target": "mel"}),
        picture=png(400, 300),
    )

    assert [(one.width, one.height) for one in whole.figures] == [(400, 300), (400, 300)]
    assert [(one.width, one.height) for one in skin.figures] == [(400, 300), (300, 300)]
    assert "does not mark disease" in whole.figures[1].caption
    assert whole.figure_note == ""


def test_the_map_of_a_record_names_the_leads_that_hold_more_than_their_part():
    leads = [
        {"lead": "I", "share": 0.06, "even_share": 0.0625, "peak_seconds": 0.7},
        {"lead": "II", "share": 0.6, "even_share": 0.3125, "peak_seconds": 0.7},
        {"lead": "V1", "share": 0.34, "even_share": 0.0625, "peak_seconds": 5.0},
    ]
    found = mapped("ecg", positive=("MI",)).model_copy(update={"target": "MI"})
    found = type(found).model_validate(found.model_dump() | {"leads": leads})

    caption = page_of(found).figures[1].caption
    assert "most of it on II (60.0 %, 31.2 % if spread evenly), V1 (34.0 %" in caption
    assert "I (6.0 %" not in caption


def test_a_map_that_failed_its_checks_is_withheld_in_words():
    failed = {
        "kind": "withheld",
        "withheld_reason": "The map failed: insertion.",
        "checks": {"passed": False},
    }
    note = page_of(explanation(beside=failed)).figure_note

    assert "did not mark reliably what its answers rest on" in note
    assert note.endswith("The map failed: insertion.")


def test_a_withheld_map_gives_its_reason():
    assert page_of(explanation()).figure_note == (
        "No influence map is shown. The map failed: insertion."
    )


def test_factors_pull_to_both_sides_and_one_that_is_missing_says_so():
    given = [
        {"name": "age", "value": 58.0, "contribution": 0.5, "unit": "years"},
        {"name": "exercise_angina", "value": "true", "contribution": -1.0},
        {"name": "thallium", "value": None, "contribution": 0.0},
    ]
    beside = {"kind": "contributions", "target": "disease"}
    page = page_of(
        explanation("heart-risk", positive=("disease",), beside=beside, contributions=given)
    )

    assert [(one.given, one.value, one.share) for one in page.swings] == [
        ("58 years", "+0.50", 0.5),
        ("Yes", "−1.00", -1.0),
        ("not given", "+0.00", 0.0),
    ]
    assert "towards “Angiographic disease”" in page.swing_note
    assert page.figures == ()


def test_of_many_labels_the_likeliest_are_drawn_and_the_rest_is_counted():
    page = page_of(explanation("symptoms", positive=("malaria",)))

    assert len(page.bars) == 5
    assert page.bars[0].name == "Malaria"
    assert page.bar_notes[0].startswith("36 further labels")
    assert "synthetic" in page.answer.meaning[0]


def test_symptoms_that_were_not_understood_are_named_by_place_alone():
    unknown = [{"position": 2, "suggestions": ["chills"]}]
    page = page_of(
        explanation(
            "symptoms",
            positive=("malaria",),
            symptoms_recognised=["chills", "high_fever"],
            symptoms_unrecognised=unknown,
        )
    )

    shown = names(page.facts)
    assert shown["Understood"] == "Chills, Fever, high"
    assert shown["Not understood"] == "number 3"


def test_the_probability_at_the_callers_prevalence_is_stated():
    after = {"label": "PNEUMONIA", "prevalence": 0.08, "probability": 0.31, "likelihood_ratio": 5.2}
    page = page_of(explanation(post_test=[after]))

    assert "Pneumonia at a prevalence of 8.0 %: 31.0 % (likelihood ratio 5.2)." in page.bar_notes


def test_the_most_independent_figures_of_the_card_are_shown_with_intervals():
    page = page_of(explanation())

    rows = {row.name: (row.value, row.interval) for row in page.measured}
    assert rows["AUROC"] == ("0.970", "0.950–0.980")
    assert rows["Sensitivity, Pneumonia"] == ("0.910", "0.890–0.920")
    assert page.measured_note.startswith("Test set, opened once: 624 inputs of 427")


def test_without_a_test_set_the_page_says_on_what_the_figures_were_measured():
    folds = {"n": 10, "groups": 9, "all": {"ece": figure(0.1)}}
    page = page_of(explanation(), metrics={"out_of_fold": folds})

    assert page.measured_note.startswith("Cross-validation")
    assert [row.name for row in page.measured] == ["Calibration error (ECE)"]


def test_a_model_that_was_replaced_meanwhile_lends_no_figures():
    modality = get_modality("heart-risk", MODALITIES)
    found = explanation("heart-risk", positive=("disease",))
    page = compose(Case(modality, found, None, None), titles=TITLES, reference=None, made=MADE)

    assert page.measured == ()
    assert page.measured_note == "The figures of this model could not be read."


def test_ids_and_hashes_are_on_the_page():
    page = page_of(explanation(), reference="ward-7/0042")

    shown = names(page.record)
    assert shown["Prediction"] == "22f2187cf4324cfa8b1b091fdefbf41c"
    assert shown["Input, SHA-256"] == "cd" * 32
    assert shown["Model file, SHA-256"] == "ab" * 32
    assert page.reference == "ward-7/0042"
    assert page.made == "2026-03-14 15:09:26 UTC"


@pytest.mark.parametrize("payload", [b"<svg/>", b"\x89PNG\r\n\x1a\n", png()[:16] + b"\xff" * 20])
def test_what_is_no_picture_is_the_services_fault(payload):
    with pytest.raises(UpstreamUnavailable):
        page_of(explanation(), picture=payload)


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0, "< 0.1 %"), (0.0014, "0.1 %"), (0.5, "50.0 %"), (0.99871, "99.9 %"), (1.0, "> 99.9 %")],
)
def test_a_probability_is_never_rounded_to_nothing_or_certainty(p, text):
    assert percent(p) == text
