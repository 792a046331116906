"""The commands as people type them, before a real gateway and real services."""

import csv
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from client.__main__ import app
from client.exits import Exit
from tests.client.conftest import FACTORS, FILM, RECORD, SKIN, SYMPTOMS

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def mediflow(surroundings):
    """Run one command line; returns its result."""

    def run(*words, **variables):
        return CliRunner().invoke(app, [str(word) for word in words], env=surroundings | variables)

    return run


def answered(result):
    """The only answer that was printed as JSON."""
    (line,) = result.stdout.splitlines()
    return json.loads(line)["prediction"]


def test_a_film_is_recognised_and_answered(mediflow):
    result = mediflow("analyze", FILM)

    assert result.exit_code == Exit.OK, result.output
    assert "ACCEPTED  Pneumonia" in result.stdout
    assert "never a diagnosis" in result.stdout or "not a diagnosis" in result.stdout


@pytest.mark.parametrize(
    ("file", "modality"),
    [(SYMPTOMS, "symptoms"), (RECORD, "ecg"), (RECORD.with_suffix(".dat"), "ecg")],
)
def test_a_row_and_a_record_find_their_modality(mediflow, file, modality):
    assert answered(mediflow("analyze", file, "--json"))["modality"] == modality


def test_a_wrong_picture_is_rejected_with_its_reason_and_an_exit_code_of_its_own(mediflow):
    result = mediflow("analyze", SKIN, "--modality", "chest-xray")

    assert result.exit_code == Exit.REJECTED
    assert "because" in result.stdout


def test_too_little_to_say_is_an_exit_code_of_its_own(mediflow, tmp_path):
    (tmp_path / "row.json").write_text('{"symptoms": ["chills", "no such thing"]}')

    result = mediflow("analyze", tmp_path / "row.json")

    assert result.exit_code == Exit.ABSTAINED
    assert "symptom 2" in result.stdout


def test_a_service_that_is_down_is_told_from_a_bad_input(mediflow, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 100)

    down = mediflow("analyze", FACTORS)
    bad = mediflow("analyze", tmp_path / "broken.png", "-m", "chest-xray")

    assert down.exit_code == Exit.UNREACHABLE
    assert "request " in down.stdout + down.stderr
    assert bad.exit_code == Exit.REFUSED


def test_nobody_there_is_said_in_one_sentence_with_the_way_out(mediflow):
    result = mediflow("analyze", FILM, "--url", NOBODY)

    assert result.exit_code == Exit.UNREACHABLE
    assert "make up" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    "words",
    [("nothing.png",), (FILM, "--jobs", "0"), (FILM, "-o", "x.xlsx"), (FILM, "--colour")],
)
def test_a_wrong_command_line_is_a_usage_error(mediflow, words):
    assert mediflow("analyze", *words).exit_code == Exit.USAGE


@pytest.fixture
def folder(tmp_path):
    """Two films, one broken file, and one that is none of ours."""
    folder = tmp_path / "films"
    (folder / "more").mkdir(parents=True)
    (folder / "first.jpeg").write_bytes(FILM.read_bytes())
    (folder / "more" / "second.jpeg").write_bytes(FILM.read_bytes() + b"\0")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "notes.txt").write_text("not sent")
    return folder


def test_a_folder_becomes_a_table_and_a_bad_file_does_not_stop_it(mediflow, folder, tmp_path):
    result = mediflow("analyze", folder, "-m", "chest-xray", "-o", tmp_path / "r.csv")

    rows = list(csv.DictReader((tmp_path / "r.csv").read_text().splitlines()))
    assert result.exit_code == Exit.REFUSED
    assert sorted((Path(row["file"]).name, row["outcome"]) for row in rows) == [
        ("broken.png", ""),
        ("first.jpeg", "accepted"),
        ("second.jpeg", "accepted"),
    ]


def test_a_resumed_folder_asks_only_what_is_left(mediflow, folder, tmp_path):
    words = ("analyze", folder, "-m", "chest-xray", "-o", tmp_path / "r.jsonl")
    mediflow(*words)
    before = (tmp_path / "r.jsonl").read_text()

    result = mediflow(*words, "--resume")

    lines = (tmp_path / "r.jsonl").read_text().splitlines()
    kept = {line for line in before.splitlines() if '"prediction"' in line}
    assert "1 of 3 files asked now: 1 failed" in result.stderr
    assert set(lines) & set(before.splitlines()) >= kept
    assert len(lines) == 3


def test_status_names_what_is_not_ready_and_exits_with_1(mediflow):
    people, program = mediflow("status"), mediflow("status", "--json")

    assert people.exit_code == program.exit_code == Exit.NO
    assert re.search(r"heart-risk +not ready", people.stdout)
    assert json.loads(program.stdout)["modalities"]["chest-xray"]["ready"]


def test_the_models_and_a_card_are_shown(mediflow):
    listed, card = mediflow("models"), mediflow("models", "chest-xray")

    assert re.search(r"chest-xray +v\d+ +efficientnet_b0", listed.stdout)
    assert "no model answers" in listed.stdout
    assert card.stdout.startswith("#")


def test_an_explanation_writes_the_map_or_says_why_there_is_none(mediflow, tmp_path):
    overlay = tmp_path / "map.png"

    result = mediflow("explain", FILM, "-o", overlay)

    assert result.exit_code == Exit.OK
    assert overlay.exists() != ("No map is shown" in result.stdout)


@pytest.mark.parametrize(("name", "start"), [("r.pdf", b"%PDF"), ("r.html", b"<!")])
def test_a_report_is_written(mediflow, tmp_path, name, start):
    result = mediflow("report", FILM, "-o", tmp_path / name)

    assert result.exit_code == Exit.OK, result.output
    assert (tmp_path / name).read_bytes().lower().startswith(start.lower())


def test_a_report_of_an_unknown_form_is_a_usage_error_before_anything_is_sent(mediflow, tmp_path):
    result = mediflow("report", FILM, "-o", tmp_path / "r.docx", "--url", NOBODY)

    assert result.exit_code == Exit.USAGE


@pytest.fixture
def receipt(mediflow, tmp_path):
    """The files of a receipt and of the key that verifies it."""
    prediction_id = answered(mediflow("analyze", RECORD, "--json"))["prediction_id"]
    files = tmp_path / "receipt.json", tmp_path / "key.pem"
    mediflow("receipt", "get", prediction_id, "-o", files[0])
    files[1].write_text(mediflow("receipt", "key").stdout)
    return files


def test_a_receipt_holds_for_its_file_and_again_for_the_numbers(mediflow, receipt):
    document, key = receipt

    result = mediflow("receipt", "verify", document, "--key", key, "--file", RECORD, "--again")

    assert result.exit_code == Exit.OK, result.output
    assert result.stdout.count("\n") == 3


def test_a_receipt_is_checked_without_any_gateway_when_the_key_is_at_hand(mediflow, receipt):
    document, key = receipt

    result = mediflow("receipt", "verify", document, "--key", key, "--url", NOBODY)

    assert result.exit_code == Exit.OK, result.output


def test_a_changed_receipt_and_another_file_do_not_hold(mediflow, receipt):
    document, _ = receipt
    other = mediflow("receipt", "verify", document, "--file", FILM)
    document.write_text(document.read_text().replace('"ecg"', '"chest-xray"'))

    changed = mediflow("receipt", "verify", document)

    assert other.exit_code == changed.exit_code == Exit.NO
    assert "SHA-256 differs" in " ".join(other.stderr.split())
    assert "signature" in changed.stderr


def test_what_is_no_receipt_is_a_usage_error(mediflow):
    assert mediflow("receipt", "verify", FILM).exit_code == Exit.USAGE


def test_feedback_is_stored_and_a_foreign_prediction_is_unknown(mediflow):
    prediction_id = answered(mediflow("analyze", SYMPTOMS, "--json"))["prediction_id"]

    stored = mediflow("feedback", prediction_id, "--label", "dengue", "--comment", "wrong_class")
    unknown = mediflow("feedback", "0" * 32, "--agree")
    silent = mediflow("feedback", prediction_id)

    assert stored.exit_code == Exit.OK, stored.output
    assert unknown.exit_code == Exit.REFUSED
    assert silent.exit_code == Exit.USAGE
