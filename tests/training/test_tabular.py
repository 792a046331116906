"""Both tabular trainings from a manifest to a released file, on invented cases."""

import json
import sys
from datetime import UTC, datetime

import numpy as np
import pytest

from contracts.estimator import load_estimator
from contracts.registry import get_modality
from contracts.scorer import scorer_of
from contracts.tables import TableRow, encode_table
from training.__main__ import main
from training.config import BadConfig
from training.manifest import BadManifest, Manifest, Row, write_manifest
from training.measure.baselines import NotBetterThanBaseline
from training.tabular import golden_documents, train_table

SYMPTOMS, HEART = get_modality("symptoms"), get_modality("heart-risk")


SMALL = {
    "symptoms": "smoothing: [0.01]\nfolds: 2\nmasks: 1\n",
    "heart-risk": "strength: [0.1]\nother_weight: [0.3]\nfolds: 3\nrepeats: 1\nmasks: 1\n",
}


def clock():
    return datetime(2026, 1, 1, tzinfo=UTC)


def write_rows(folder, modality, cases):
    """Write a manifest of (label, document, attributes)."""
    rows = tuple(
        Row(
            f"case-{index:03d}",
            folder / "source",
            label,
            "train",
            f"case-{index:03d}",
            "",
            {"input": json.dumps(document), **attributes},
        )
        for index, (label, document, attributes) in enumerate(cases)
    )
    path = folder / "manifest.csv"
    write_manifest(path, Manifest(modality.id, rows, {"source": "invented"}))
    return path


def train_small(modality, manifest, out):
    """Train with few folds and draws."""
    recipe = manifest.with_name("recipe.yaml")
    recipe.write_text(SMALL[modality.id])
    return train_table(
        modality.id,
        manifest,
        out,
        recipe_file=recipe,
        draws=20,
        reports=out / "runs",
        clock=clock,
    )


@pytest.fixture(scope="module")
def symptom_manifest(tmp_path_factory):
    """Six cases per disease: its three symptoms and one that others have as well."""
    ids = [term.id for term in SYMPTOMS.vocabulary]
    cases = [
        (code, {"symptoms": [*ids[3 * index : 3 * index + 3], ids[123 + repeat]]}, {})
        for index, code in enumerate(SYMPTOMS.codes)
        for repeat in range(6)
    ]
    return write_rows(tmp_path_factory.mktemp("symptoms"), SYMPTOMS, cases)


@pytest.fixture(scope="module")
def symptom_file(symptom_manifest):
    """One release of the invented cases."""
    return train_small(SYMPTOMS, symptom_manifest, symptom_manifest.parent / "out")


def heart_cases(random, signal):
    columns = HEART.table.columns
    names = tuple(column.name for column in columns)
    cases = []
    for index in range(160):
        values = [
            random.choice([code for _, code in column.choices])
            if column.choices
            else random.integers(0, 2)
            if column.kind == "flag"
            else random.integers(column.minimum, column.maximum + 1)
            for column in columns
        ]
        row = TableRow(
            names,
            tuple(
                None if not column.required and random.random() < 0.3 else float(value)
                for column, value in zip(columns, values, strict=True)
            ),
        )
        risk = signal * (values[6] * 2 + values[4] - 2.5) + random.normal()
        hospital = "cleveland" if index < 110 else "va"
        cases.append(
            (HEART.codes[int(risk > 0)], encode_table(row, HEART.table), {"hospital": hospital})
        )
    return cases


def test_a_symptom_manifest_becomes_a_file_with_curve_and_card(symptom_file):
    saved = load_estimator(symptom_file, SYMPTOMS)

    curve = saved.release.metrics["masking"]
    assert symptom_file.parts[-3:] == ("out", "symptoms", "v1.skops")
    assert [(row["known"], row["false"]) for row in curve] == [
        (known, false) for false in (0, 1) for known in range(1, 7)
    ]
    assert curve[2]["top1"]["value"] > 0.9
    folder = symptom_file.parents[1] / "runs/symptoms/report-v1"
    assert (folder / "out_of_fold-confusion.png").read_bytes().startswith(b"\x89PNG")
    assert "AUROC" in (folder / "report.html").read_text()
    assert saved.release.extra["minimum_terms"] <= 3
    assert saved.release.provenance["created"] == "2026-01-01T00:00:00+00:00"
    card = symptom_file.with_suffix(".md").read_text()
    assert "Masking curve" in card
    assert "synthetic" in card


def test_a_heart_manifest_becomes_a_file_with_hospitals_and_bands(tmp_path):
    manifest = write_rows(tmp_path, HEART, heart_cases(np.random.default_rng(1), 1.5))

    path = train_small(HEART, manifest, tmp_path / "out")

    release = load_estimator(path, HEART).release
    assert [row["hospital"] for row in release.metrics["hospitals"]["left_out"]] == [
        "cleveland",
        "va",
    ]
    assert [band["band"] for band in release.extra["bands"]] == ["low", "moderate", "high"]
    assert np.mean(release.metrics["repeats"]["all"]["auroc"]) > 0.75
    assert release.decision.min_probability == 0.0
    assert "One hospital left out" in path.with_suffix(".md").read_text()


def test_a_model_without_a_lead_over_age_and_sex_is_not_released(tmp_path):
    manifest = write_rows(tmp_path, HEART, heart_cases(np.random.default_rng(2), 0.0))

    with pytest.raises(NotBetterThanBaseline, match="majority"):
        train_small(HEART, manifest, tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_a_second_release_is_the_next_version(tmp_path):
    manifest = write_rows(tmp_path, HEART, heart_cases(np.random.default_rng(1), 1.5))

    names = [train_small(HEART, manifest, tmp_path / "out").name for _ in range(2)]

    assert names == ["v1.skops", "v2.skops"]


def test_golden_documents_name_every_term_and_are_understood(symptom_file):
    scorer = scorer_of(load_estimator(symptom_file, SYMPTOMS), SYMPTOMS)

    named = {
        term
        for document in golden_documents(SYMPTOMS)
        for term in scorer.score(document).recognised
    }

    assert named == {term.id for term in SYMPTOMS.vocabulary}


def test_an_unknown_setting_of_the_recipe_is_refused(symptom_manifest, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("smothing: [0.1]\n")

    with pytest.raises(BadConfig, match="smothing"):
        train_table("symptoms", symptom_manifest, tmp_path, recipe_file=recipe)


def command(capsys, *arguments):
    """Run the command line; return exit code and what it wrote to stderr."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["training", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
    return ended.value.code, capsys.readouterr().err


def test_a_setting_of_the_command_line_changes_the_recipe(symptom_manifest, tmp_path, capsys):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(SMALL["symptoms"])
    options = ["--config", recipe, "--out", tmp_path, "--set", "smoothing=[1]"]

    code, errors = command(
        capsys, "train", "symptoms", "--manifest", symptom_manifest, *options, "--set", "masks=2"
    )

    release = load_estimator(tmp_path / "symptoms" / "v1.skops", SYMPTOMS).release
    assert (code, errors) == (0, "")
    assert release.provenance["config"]["smoothing"] == [1.0]
    assert release.provenance["config"]["masks"] == 2


@pytest.mark.parametrize("setting", ["smothing=[0.1]", "smoothing=0.1", "folds=many", "folds"])
def test_a_setting_that_the_recipe_does_not_have_is_a_user_error(
    setting, symptom_manifest, tmp_path, capsys
):
    code, errors = command(
        capsys, "train", "symptoms", "--manifest", symptom_manifest, "--out", tmp_path,
        "--set", setting,
    )  # fmt: skip

    assert code == 2
    assert errors.startswith("error: ")
    assert not (tmp_path / "symptoms").exists()


@pytest.mark.parametrize(
    "option",
    [
        ("--note", "said nowhere"),
        ("--device", "cuda"),
        ("--run-folder", "runs/x"),
        ("--open-test", "curious"),
        ("--others", "other.csv"),
        ("--init", "imagenet"),
        ("--threads", "2"),
        ("--no-export",),
    ],
    ids=lambda option: option[0],
)
def test_an_option_that_does_nothing_for_a_table_is_a_user_error(option, tmp_path, capsys):
    code, errors = command(
        capsys, "train", "heart-risk", "--manifest", "m.csv", "--out", tmp_path, *option
    )

    assert code == 2
    assert errors.startswith(f"error: {option[0]}: ")
    assert "--set" in errors


def test_a_manifest_without_training_rows_is_refused(tmp_path):
    row = Row("a", tmp_path / "x", "disease", "test", "a", "", {"input": "{}"})
    write_manifest(tmp_path / "m.csv", Manifest("heart-risk", (row,)))

    with pytest.raises(BadManifest, match="train"):
        train_table("heart-risk", tmp_path / "m.csv", tmp_path)
