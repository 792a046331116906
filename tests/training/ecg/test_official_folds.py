"""All of PTB-XL in its published layout: from the published tables to calibrated scores."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from contracts.checkpoint import build_from
from contracts.registry import get_modality
from tests.contracts.wfdb_samples import counts_of, synthetic_ecg, wfdb_header
from training.calibrate import fit_rule, settings_for
from training.evaluation.predict import score_rows
from training.export import reload_half
from training.fit.cross import NAME
from training.fit.run_folder import load_run
from training.manifest import CAL, TEST, TRAIN, VAL, read_manifest
from training.measure.scored import scored_from
from training.prepare import ecg

ROOT = Path(__file__).parents[3]
ECG = get_modality("ecg")
CODES = {"NORM": "NORM", "IMI": "MI", "NDT": "STTC", "CLBBB": "CD", "LVH": "HYP"}
COLUMNS = "ecg_id patient_id age sex site device scp_codes strat_fold filename_lr filename_hr"
TINY = ("width=64", "height=64", "epochs=0", "head_epochs=1", "variants=1", "batch_size=8")

#: Beyond the published numbers, so that none is an example that stays out of training.
FIRST = 30_001


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    """Ten folds of five records each, laid out as PhysioNet publishes them."""
    root = tmp_path_factory.mktemp("ptb-xl")
    statements = [f"{code},{code},1.0,{name}" for code, name in CODES.items()]
    table = [",description,diagnostic,diagnostic_class", *statements]
    (root / "scp_statements.csv").write_text("\n".join(table))
    lines = [COLUMNS.replace(" ", ",")]
    for number in range(FIRST, FIRST + 50):
        code = list(CODES)[number % 5]
        name = f"records100/00000/{number:05d}_lr"
        statement = f"\"{{'{code}': 100.0, 'SR': 0.0}}\""
        high = name.replace("records100", "records500").replace("_lr", "_hr")
        fold = (number - FIRST) // 5 + 1
        lines.append(f"{number},{number}.0,56.0,1,0.0,CS-12,{statement},{fold},{name},{high}")
        write_record(root / f"{name}.hea", number)
    (root / "ptbxl_database.csv").write_text("\n".join(lines))
    return root


def write_record(header: Path, number: int) -> None:
    header.parent.mkdir(parents=True, exist_ok=True)
    counts = counts_of(synthetic_ecg(seconds=10, noise_mv=0.01, seed=number))
    header.write_text(wfdb_header(counts, record=f"{header.stem} 12 100 1000"))
    header.with_suffix(".dat").write_bytes(counts.T.astype("<i2").tobytes())


def test_the_official_folds_train_choose_and_calibrate_without_cross_validation(
    published, tmp_path
):
    manifest_file, run = tmp_path / "ecg.csv", tmp_path / "run"
    ecg.prepare(published, manifest_file, complete=50)
    command = [sys.executable, "-m", "training", "train", "ecg", "--device", "cpu"]
    command += ["--manifest", str(manifest_file), "--run-folder", str(run), "--no-export"]
    command += [part for setting in TINY for part in ("--set", setting)]

    result = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )

    assert result.returncode == 0, result.stderr[-2000:]
    manifest = read_manifest(manifest_file)
    folds = {
        part: {row.attributes["strat_fold"] for row in manifest.part(part)}
        for part in (TRAIN, VAL, CAL, TEST)
    }
    assert folds == {TRAIN: set("1234567"), VAL: {"8"}, CAL: {"9"}, TEST: {"10"}}
    assert not (run / NAME).exists()
    trained = load_run(run, manifest)
    rows = manifest.part(CAL)
    logits = score_rows(build_from(reload_half(trained)), rows, ECG, trained.image, trained.render)
    rule = fit_rule(scored_from(rows, logits, ECG), ECG, settings_for(ECG, trained.config))
    assert len(rule.thresholds) == 5
