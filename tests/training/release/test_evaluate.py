"""An evaluation scores what a hospital gives it, through the code that serves."""

import csv
import json

import pytest
import torch

from contracts.checkpoint import load_checkpoint, save_checkpoint, with_release
from contracts.decoder import decode_input
from contracts.errors import BadCheckpoint
from contracts.findings import judge
from contracts.modality import QualityLimits
from contracts.preprocessing import image_to_tensor
from training.__main__ import main
from training.evaluation.evaluate import EvaluateOptions, evaluate_checkpoint
from training.manifest import BadManifest
from training.release.openings import read_openings


@pytest.fixture
def options(released):
    return EvaluateOptions(openings=released.openings, draws=50)


def listed(folder, lines):
    path = folder / "own.csv"
    path.write_text("path,label\n" + "".join(f"{name},{label}\n" for name, label in lines))
    return path


def rows_of(folder):
    with (folder / "rows.csv").open() as stream:
        return list(csv.DictReader(stream))


def test_rows_hold_the_very_probabilities_of_the_serving_code(
    released, trained, manifest_path, options, tmp_path
):
    from contracts.checkpoint import build_from

    evaluate_checkpoint(released.path, manifest_path, part="val", out=tmp_path, options=options)

    stored = load_checkpoint(released.path, trained.modality)
    network = build_from(stored)
    rows = rows_of(tmp_path)
    assert len(rows) == 80
    for written, row in list(zip(rows, trained.manifest.part("val"), strict=True))[::16]:
        decoded = decode_input(row.path.read_bytes(), trained.modality)
        with torch.inference_mode():
            tensor = image_to_tensor(decoded.image, trained.image)
            logits = network(tensor[None])[0].tolist()
        judgement = judge(logits, stored.release.decision, trained.modality)
        assert float(written["p_PNEUMONIA"]) == pytest.approx(
            judgement.probabilities["PNEUMONIA"], abs=1e-4
        )
        assert written["outcome"] == judgement.outcome
        assert written["answer"] == (judgement.label or "")


def test_an_unreadable_input_is_an_error_row_and_is_counted(released, trained, options, tmp_path):
    good = trained.manifest.part("val")[:12]
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    (tmp_path / "text.png").write_text("no picture")
    lines = [(str(row.path), row.label) for row in good]
    manifest = listed(tmp_path, [*lines, ("broken.png", "NORMAL"), ("text.png", "NORMAL")])

    found = evaluate_checkpoint(released.path, manifest, out=tmp_path / "out", options=options)

    rows = rows_of(tmp_path / "out")
    assert found.metrics["outcomes"]["error"] == 2
    assert [row["reasons"] for row in rows[-2:]] == ["image_undecodable", "unsupported_media_type"]
    assert rows[-1]["p_NORMAL"] == ""
    assert found.metrics["figures"]["n"] == 12


def test_a_rejected_input_keeps_its_probabilities_for_the_record(
    released, trained, options, tmp_path
):
    strict = with_release(
        load_checkpoint(released.path, trained.modality),
        quality=QualityLimits(reject={"blur": (1e9, None)}),
    )
    path = save_checkpoint(strict, tmp_path / "chest-xray")
    rows = trained.manifest.part("val")[:4]
    manifest = listed(tmp_path, [(str(row.path), row.label) for row in rows])

    found = evaluate_checkpoint(path, manifest, out=tmp_path / "out", options=options)

    assert found.metrics["outcomes"] == {"rejected": 4}
    assert {row["reasons"] for row in rows_of(tmp_path / "out")} == {"quality.blur"}
    assert all(float(row["p_NORMAL"]) >= 0 for row in rows_of(tmp_path / "out"))
    assert found.metrics["figures"]["accepted_share"]["value"] == 0.0


def test_inputs_of_another_kind_are_counted_without_figures(released, trained, options, tmp_path):
    rows = trained.manifest.part("val")[:3]
    manifest = listed(tmp_path, [(str(row.path), "photograph") for row in rows])
    printed = []

    found = evaluate_checkpoint(released.path, manifest, log=printed.append, options=options)

    assert found.metrics["without_figures"] == 3
    assert list(found.metrics["outcomes_by_label"]) == ["photograph"]
    assert "no figures" in printed[0]


def test_the_summary_shows_all_inputs_beside_the_accepted_ones(
    released, manifest_path, options, tmp_path
):
    printed = []

    evaluate_checkpoint(
        released.path, manifest_path, part="val", log=printed.append, options=options
    )

    (text,) = printed
    assert "80 inputs" in text
    assert "accepted only" in text
    assert "auroc.PNEUMONIA" in text


def test_metrics_are_written_as_plain_json(released, manifest_path, options, tmp_path):
    evaluate_checkpoint(released.path, manifest_path, part="val", out=tmp_path, options=options)

    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["rows"] == 80
    assert metrics["model"]["version"] == 1
    assert (tmp_path / "report.html").exists()


def test_the_models_own_test_part_is_not_opened_without_a_reason(released, manifest_path, tmp_path):
    log = tmp_path / "openings.jsonl"

    with pytest.raises(ValueError, match="reason"):
        evaluate_checkpoint(
            released.path, manifest_path, options=EvaluateOptions(openings=log, draws=50)
        )
    evaluate_checkpoint(
        released.path,
        manifest_path,
        options=EvaluateOptions(reason="audit", openings=log, draws=50),
    )
    evaluate_checkpoint(
        released.path, manifest_path, options=EvaluateOptions(openings=log, draws=50)
    )

    assert [row["reason"] for row in read_openings(log)] == ["audit"]


def test_an_empty_part_and_a_missing_file_are_named(released, manifest_path, options, tmp_path):
    with pytest.raises(BadManifest, match="'lowres'"):
        evaluate_checkpoint(released.path, manifest_path, part="lowres", options=options)
    with pytest.raises(BadManifest, match=r"gone\.png"):
        evaluate_checkpoint(
            released.path, listed(tmp_path, [("gone.png", "NORMAL")]), options=options
        )


def test_a_damaged_model_file_is_refused(released, manifest_path, options, tmp_path):
    folder = tmp_path / "chest-xray"
    folder.mkdir()
    payload = bytearray(released.path.read_bytes())
    payload[len(payload) // 2] ^= 64
    (folder / "v1.pth").write_bytes(payload)
    (folder / "SHA256SUMS").write_text((released.path.parent / "SHA256SUMS").read_text())

    with pytest.raises(BadCheckpoint, match="digest"):
        evaluate_checkpoint(folder / "v1.pth", manifest_path, part="val", options=options)


def test_the_command_line_names_a_mistake_in_one_line(released, monkeypatch, capsys, tmp_path):
    arguments = ["evaluate", "--checkpoint", str(released.path), "--manifest", str(tmp_path / "no")]
    monkeypatch.setattr("sys.argv", ["training", *arguments])

    with pytest.raises(SystemExit) as stopped:
        main()

    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("error: ")
