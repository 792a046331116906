"""A release: what the file says belongs to the bytes in it, and nothing bad gets out."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from contracts.checkpoint import GOLDEN_TOLERANCE, build_from, load_checkpoint
from contracts.errors import BadCheckpoint
from training.evaluation.predict import score_rows
from training.export import check_golden, release, reload_half
from training.measure.baselines import NotBetterThanBaseline
from training.measure.scored import scored_from
from training.release.assess import assess
from training.release.golden import golden_input, golden_logits
from training.release.openings import AlreadyOpened, read_openings, weights_digest


@pytest.fixture
def stored(released, trained):
    return load_checkpoint(released.path, trained.modality)


def test_the_reloaded_file_repeats_its_golden_logits(stored, trained):
    again = golden_logits(build_from(stored), stored.golden_input, trained.image)

    assert stored.golden_input.dtype == torch.uint8
    assert torch.allclose(again, stored.golden_logits, atol=GOLDEN_TOLERANCE)


def test_a_file_whose_weights_changed_does_not_pass_the_golden_check(stored, trained):
    weights = {name: value * 3 for name, value in stored.weights.items() if "classifier" in name}

    with pytest.raises(BadCheckpoint, match="golden"):
        check_golden(replace(stored, weights=stored.weights | weights), trained)


def test_golden_pictures_differ_and_are_the_same_every_time(trained):
    images = golden_input(trained.image)

    assert torch.equal(images, golden_input(trained.image))
    assert len({image.numpy().tobytes() for image in images}) == len(images) >= 4


def test_published_validation_figures_are_those_of_the_released_file(stored, trained):
    rows = trained.manifest.part("val")
    logits = score_rows(build_from(stored), rows, trained.modality, trained.image)
    scored = scored_from(rows, logits, trained.modality)
    wins = scored.logits[:, 1] - scored.logits[:, 0]

    from sklearn.metrics import roc_auc_score

    published = stored.release.metrics["val"]["all"]["auroc.PNEUMONIA"]["value"]
    assert published == pytest.approx(roc_auc_score(scored.truth[:, 1], wins), abs=1e-3)


def test_the_file_says_how_it_came_to_be(stored, trained):
    facts = stored.release.provenance

    assert facts["created"] == "2026-01-02T03:04:05+00:00"
    assert facts["manifest_sha256"] == trained.manifest.sha256
    assert facts["weights_sha256"] == weights_digest(stored.weights)
    assert facts["rows_by_part"] == {"train": 60, "val": 80, "cal": 80, "test": 60}
    assert facts["init"] == "random initialisation"
    assert "torch" in facts["libraries"]


def test_every_number_in_the_file_is_finite_and_every_interval_holds_its_value(stored):
    json.dumps(stored.release.to_plain(), allow_nan=False)
    for part in ("val", "test"):
        for estimate in stored.release.metrics[part]["all"].values():
            if estimate["low"] is not None:
                assert estimate["low"] <= estimate["value"] <= estimate["high"]


def test_likelihood_ratios_speak_for_the_finding(stored):
    ratios = stored.release.likelihood_ratios["PNEUMONIA"]

    assert ratios["positive_low"] < ratios["positive"] < ratios["positive_high"]
    assert ratios["positive"] > 1 > ratios["negative"] > 0


def test_a_second_release_is_the_next_version_and_leaves_the_first_alone(
    released, trained, tmp_path
):
    options = replace(released.options, test_reason="", report=False, draws=50)
    first = release(trained, tmp_path, options=options)
    before = first.read_bytes()

    second = release(trained, tmp_path, options=options)

    assert (first.name, second.name) == ("v1.pth", "v2.pth")
    assert first.read_bytes() == before
    assert len((first.parent / "SHA256SUMS").read_text().splitlines()) == 2
    assert load_checkpoint(second, trained.modality).release.version == 2


def test_a_model_that_sees_nothing_is_refused_and_leaves_no_file(degenerate, released, tmp_path):
    with pytest.raises(NotBetterThanBaseline, match="majority"):
        release(degenerate, tmp_path / "models", options=replace(released.options, draws=50))

    assert not (tmp_path / "models").exists()
    assert len(read_openings(released.openings)) == 1


def test_the_test_part_is_opened_once_and_logged(released, trained):
    (row,) = read_openings(released.openings)

    assert row["reason"] == "first release"
    assert row["set_id"] == "chest-xray/test"
    assert row["manifest_sha256"] == trained.manifest.sha256
    assert set(row["metrics"]["members"]) == {"seed 0"}
    assert weights_digest(reload_half(trained).weights) in row["weights_sha256"]


def test_a_repeated_export_quotes_the_logged_figures_without_a_second_look(released, trained):
    without_files = replace(
        trained.manifest,
        rows=tuple(
            replace(row, path=row.path.with_name("gone.png")) if row.split == "test" else row
            for row in trained.manifest.rows
        ),
    )
    again = replace(trained, manifest=without_files)

    found = assess(build_from(reload_half(trained)), again, released.options)

    (row,) = read_openings(released.openings)
    assert found.metrics["test"] == row["metrics"]
    assert "test" not in found.scored


def test_another_rule_may_not_look_at_the_test_part_again(released, trained):
    other = replace(trained, config={"minimum_sensitivity": 0.95, "accept": 0.7})

    with pytest.raises(AlreadyOpened, match="2026-01-02"):
        assess(build_from(reload_half(trained)), other, released.options)


def test_without_a_reason_the_test_part_stays_closed(released, trained, tmp_path):
    options = replace(released.options, test_reason="", openings=tmp_path / "log", draws=50)

    found = assess(build_from(reload_half(trained)), trained, options)

    assert "test" not in found.metrics
    assert not (tmp_path / "log").exists()


def test_out_of_fold_scores_take_the_place_of_a_calibration_part(released, trained):
    rows = trained.manifest.part("cal") + trained.manifest.part("val")
    network = build_from(reload_half(trained))
    logits = score_rows(network, rows, trained.modality, trained.image)
    options = replace(
        released.options,
        out_of_fold=scored_from(rows, logits, trained.modality),
        test_reason="",
        draws=50,
    )

    found = assess(network, trained, options)

    assert found.metrics["out_of_fold"]["n"] == len(rows)
    assert found.metrics["baselines"]["part"] == "out_of_fold"
    assert found.metrics["calibration"]["n"] == len(rows)


def test_a_run_without_calibration_cases_is_refused(released, trained):
    rows = tuple(row for row in trained.manifest.rows if row.split != "cal")
    bare = replace(trained, manifest=replace(trained.manifest, rows=rows))

    with pytest.raises(ValueError, match="cal"):
        assess(build_from(reload_half(bare)), bare, released.options)


def test_checks_of_the_input_travel_in_the_file(released, trained, tmp_path):
    def fit(network, run, others):
        return {"limit": np.float64(0.5), "others": len(others)}, {"mean": torch.ones(3)}

    options = replace(released.options, test_reason="", report=False, draws=50, fit_validity=fit)
    path = release(trained, tmp_path, others=(tmp_path / "a.csv",), options=options)

    stored = load_checkpoint(path, trained.modality)
    assert stored.release.validity == {"limit": 0.5, "others": 1}
    assert torch.equal(stored.validity["mean"], torch.ones(3))
    assert "blur" in stored.release.quality.reject


def test_the_report_is_one_page_that_needs_nothing_else(released, trained):
    folder = trained.run_dir / "report-v1"
    page = (folder / "report.html").read_text()

    assert {"val-roc.png", "test-confusion.png", "run-loss.png"} <= {
        path.name for path in folder.iterdir()
    }
    assert page.count("data:image/png;base64,") == 14
    assert "http:" not in page and "https:" not in page
    assert "<td>PNEUMONIA</td>" in page
    for wanted in ("AUROC", "AUPRC", "PPV at 5 % prevalence", "Brier", "NLL", "ECE", "Subgroups"):
        assert wanted in page


def test_the_card_quotes_the_numbers_of_the_file(released, stored):
    text = released.path.with_suffix(".md").read_text()
    auroc = stored.release.metrics["test"]["all"]["auroc.PNEUMONIA"]

    assert f"{auroc['value']:.3f} ({auroc['low']:.3f}–{auroc['high']:.3f})" in text
    assert stored.release.sha256 in text
    assert "generated noise" in text
    assert "No check of an influence map was made" in text
    assert "| thumbnail |" in text
    assert "- The recipe was chosen on these very cases." in text
