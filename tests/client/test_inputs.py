"""Paths, bytes and rows become inputs; folders become lists of them."""

import pytest

from client.errors import UnusableInput
from client.inputs import JPEG, JSON, PNG, ZIP, Input, gather
from gateway.upload import pack_record
from tests.client.conftest import FACTORS, FILM, RECORD


def test_a_record_is_packed_byte_for_byte_as_the_gateway_packs_it():
    header, samples = RECORD.read_bytes(), RECORD.with_suffix(".dat").read_bytes()

    assert Input.of_record(header, samples).payload == pack_record(header, samples)


@pytest.mark.parametrize("suffix", [".hea", ".dat"])
def test_either_file_of_a_record_brings_the_other_along(suffix):
    item = Input.of(RECORD.with_suffix(suffix))

    assert item == Input.of(str(RECORD))
    assert item.media_type == ZIP


def test_half_a_record_is_refused_with_the_name_of_the_other_half(tmp_path):
    (tmp_path / "r.hea").write_bytes(b"r 12 500")

    with pytest.raises(UnusableInput, match=r"r\.dat is missing"):
        Input.of(tmp_path / "r.hea")


def test_the_bytes_decide_what_a_file_is(tmp_path, png_bytes):
    wrong = tmp_path / "film.jpg"
    wrong.write_bytes(png_bytes)

    assert Input.of(wrong).media_type == PNG
    assert Input.of(FILM).media_type == JPEG
    assert Input.of(FACTORS).media_type == JSON


@pytest.mark.parametrize("source", [b"", b"DICM", b"[1]", 7])
def test_what_is_of_no_known_kind_is_refused(source):
    with pytest.raises(UnusableInput):
        Input.of(source)


def test_a_row_is_written_as_json():
    assert Input.of({"age": 58}) == Input(b'{"age": 58}', JSON)
    assert Input.of_symptoms(["chills"]).payload == b'{"symptoms": ["chills"]}'


def test_a_file_that_cannot_be_read_is_an_unusable_input(tmp_path):
    with pytest.raises(UnusableInput, match="No such file"):
        Input.of(tmp_path / "nothing.png")


def test_the_bytes_do_not_show_in_what_is_printed_of_an_input():
    assert "secret" not in repr(Input.of({"name": "secret"}))


def test_a_folder_gives_its_inputs_sorted_records_once_and_nothing_hidden(tmp_path):
    for name in ("b/2.png", "a.JPG", "r.hea", "r.dat", "notes.txt", ".hidden/x.png", ".y.png"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.touch()

    found = [str(path.relative_to(tmp_path)) for path in gather([tmp_path])]

    assert found == ["a.JPG", "b/2.png", "r.hea"]


def test_a_record_named_by_both_of_its_files_is_one_input():
    assert gather([RECORD, RECORD.with_suffix(".dat")]) == [RECORD]


def test_a_path_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(UnusableInput, match="There is no"):
        gather([tmp_path / "nothing"])
