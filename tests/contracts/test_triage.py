import itertools
import re

import pytest

from contracts.findings import Judgement
from contracts.registry import MODALITIES, get_modality
from contracts.schemas import Finding, Outcome
from contracts.triage import BANDS, triage

IMAGES = [modality for modality in MODALITIES if modality.is_image]


def judgement(label=None, prediction_set=(), positive=(), outcome=Outcome.ACCEPTED):
    findings = tuple(
        Finding(label=code, name=code, probability=0.9, threshold=0.5, positive=True)
        for code in positive
    )
    return Judgement(outcome, (), label, {}, findings, tuple(prediction_set), {})


@pytest.mark.parametrize("modality", IMAGES, ids=lambda modality: modality.id)
def test_every_label_has_one_reviewed_row_with_a_source(modality):
    rows = {row.label: row for row in modality.triage}

    assert len(rows) == len(modality.triage)
    assert tuple(sorted(rows)) == tuple(sorted(modality.codes))
    for row in rows.values():
        assert row.band in BANDS
        assert len(row.source) > 20
        assert row.next_step
        assert row.timeline


@pytest.mark.parametrize("modality", MODALITIES, ids=lambda modality: modality.id)
def test_every_source_says_when_it_was_published_or_is_a_page_of_a_health_service(modality):
    rows = [*modality.triage, *(flag.triage for flag in modality.red_flags)]
    for row in rows:
        for source in row.source.split("; "):
            dated = re.search(r"\b(19|20)\d\d\b", source)
            assert dated or "nhs.uk" in source or "who.int" in source, source


@pytest.mark.parametrize("modality", IMAGES, ids=lambda modality: modality.id)
def test_no_row_reassures_stages_or_treats(modality):
    forbidden = ("no treatment", "harmless", "reassur", "stage ", "survival", "prescribe", "dose")
    for row in modality.triage:
        text = f"{row.next_step} {row.timeline}".lower()
        assert not any(word in text for word in forbidden)
        if row.band == "low":
            assert "does not exclude" in text


@pytest.mark.parametrize("modality", IMAGES, ids=lambda modality: modality.id)
def test_the_band_is_never_lower_than_the_most_severe_label_in_the_set(modality):
    band_of = {row.label: BANDS.index(row.band) for row in modality.triage}
    for size in (1, 2, 3):
        for labels in itertools.combinations(modality.codes, size):
            answer = triage(judgement(labels[0], labels), modality)
            assert BANDS.index(answer.band) >= max(band_of[label] for label in labels)


def test_critical_labels_are_never_in_the_lowest_band():
    for modality in IMAGES:
        for row in modality.triage:
            if row.label in modality.critical:
                assert row.band in ("high", "urgent")


def test_actinic_keratosis_is_never_below_referral():
    skin = get_modality("skin-lesion")

    answer = triage(judgement("akiec", ("akiec",)), skin)

    assert answer.band in ("high", "urgent")
    assert "refer" in answer.next_step.lower()


def test_a_positive_finding_outside_the_set_counts_as_well():
    skin = get_modality("skin-lesion")

    assert triage(judgement("nv", ("nv",), positive=("mel",)), skin).band == "urgent"


def test_an_undecided_case_is_never_in_the_lowest_band():
    chest = get_modality("chest-xray")

    empty = triage(judgement(outcome=Outcome.ABSTAINED), chest)
    normal = triage(judgement(None, ("NORMAL",), outcome=Outcome.ABSTAINED), chest)

    assert (empty.band, normal.band) == ("moderate", "moderate")


def test_a_modality_without_a_table_gives_no_advice():
    from dataclasses import replace

    bare = replace(get_modality("chest-xray"), triage=())

    assert triage(judgement("NORMAL", ("NORMAL",)), bare) is None
