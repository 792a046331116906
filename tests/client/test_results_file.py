"""Results outlive the process, and a run goes on where it ended."""

import csv
import json

import pytest

from client.errors import UnusableInput
from client.results_file import COLUMNS, ResultsFile
from tests.client.answers import prediction, result


def write(path, *results, resume=False):
    store = ResultsFile(path, resume=resume)
    for one in results:
        store.add(one)
    store.close()


def rows(path):
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_row_holds_what_a_study_needs(tmp_path):
    write(tmp_path / "r.csv", result(prediction()))

    (row,) = rows(tmp_path / "r.csv")

    assert tuple(row) == COLUMNS
    assert (row["file"], row["outcome"], row["label"]) == ("film.png", "accepted", "PNEUMONIA")
    assert float(row["probability"]) == 0.9
    assert row["probabilities"] == "PNEUMONIA=0.900000;NORMAL=0.100000"


def test_a_line_of_json_holds_the_whole_answer(tmp_path):
    write(tmp_path / "r.jsonl", result(prediction()))

    (line,) = (tmp_path / "r.jsonl").read_text().splitlines()

    assert json.loads(line)["prediction"]["model"]["sha256"] == "a" * 64


@pytest.mark.parametrize("name", ["r.csv", "r.jsonl"])
def test_a_resumed_run_keeps_answers_and_asks_failures_and_cut_lines_again(tmp_path, name):
    path = tmp_path / name
    write(path, result(prediction()), result(UnusableInput("bad"), "bad.png"))
    whole = path.read_text()
    write(path, result(prediction(), "last.png"), resume=True)
    path.write_text(path.read_text()[:-8])

    store = ResultsFile(path, resume=True)
    store.close()

    assert "bad" in whole
    assert store.answered == {"film.png"}
    assert path.read_text() == "".join(whole.splitlines(keepends=True)[: 2 if "csv" in name else 1])


def test_an_output_that_exists_is_not_overwritten(tmp_path):
    (tmp_path / "r.csv").write_text("precious")

    with pytest.raises(UnusableInput, match="--resume"):
        ResultsFile(tmp_path / "r.csv", resume=False)

    assert (tmp_path / "r.csv").read_text() == "precious"


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(UnusableInput, match=r"\.csv or \.jsonl"):
        ResultsFile(tmp_path / "r.xlsx", resume=False)
