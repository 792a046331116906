import io
import struct
import time
import tracemalloc
import zipfile

import pytest

from contracts.archives import MAX_HEADER_BYTES, MAX_SIGNAL_BYTES, read_archive
from contracts.errors import InvalidInput, UnsupportedMediaType
from tests.contracts.wfdb_samples import zip_of

HEADER, SIGNALS = ("record.hea", b"header"), ("record.dat", b"signals")


MANY = [(f"{index}.txt", b"") for index in range(3000)]


def refused(payload: bytes) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read_archive(payload)
    return caught.value


def code_of(payload: bytes) -> str:
    return refused(payload).code


def stating(payload: bytes, entries: int) -> bytes:
    """The archive with another number of entries in its end record."""
    lying = bytearray(payload)
    struct.pack_into("<HH", lying, len(lying) - 14, entries, entries)
    return bytes(lying)


def refuse_parsing(monkeypatch):
    """From here on, let a test fail that gets as far as the directory of its archive."""

    def fail(*_):
        raise AssertionError("the directory was parsed")

    monkeypatch.setattr(zipfile, "ZipFile", fail)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_one_header_and_the_one_signal_file_are_found_by_ending(compression):
    files = read_archive(
        zip_of(
            ("a/00001_LR.HEA", b"h"), ("b/x.dat", b"s"), ("notes", b"n"), compression=compression
        )
    )

    assert (files.header, files.signals) == (b"h", b"s")


def test_the_shadow_files_of_macos_do_not_count():
    shadow = ("__MACOSX/._record.hea", b"x")

    assert read_archive(zip_of(shadow, HEADER, SIGNALS)).header == b"header"


@pytest.mark.parametrize("payload", [b"", b"PK", b"record 12 100 1000", b"\x89PNG\r\n\x1a\n"])
def test_bytes_that_are_no_zip_are_of_an_unsupported_type(payload):
    with pytest.raises(UnsupportedMediaType):
        read_archive(payload)


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../../etc/passwd", "a/../b", "C:\\x", "\\\\host\\x", "~/x", "s3://b/x"],
)
def test_W8_an_entry_that_points_anywhere_refuses_the_archive(name):
    assert code_of(zip_of(HEADER, SIGNALS, (name, b"x"))) == "bad_archive"


@pytest.mark.parametrize(
    "entries",
    [
        [HEADER],
        [SIGNALS],
        [HEADER, SIGNALS, ("b.hea", b"x")],
        [HEADER, SIGNALS, ("b.dat", b"x")],
        [HEADER, SIGNALS] + [(f"{index}.txt", b"x") for index in range(7)],
        [HEADER, SIGNALS, ("inner.bin", zip_of(HEADER))],
    ],
)
def test_W6_W8_any_other_content_than_one_record_is_refused(entries):
    assert code_of(zip_of(*entries)) == "bad_archive"


def test_W8_an_entry_without_a_name_is_refused():
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, *[0] * 9)
    central = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, *[0] * 14)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(central), len(local), 0)

    assert code_of(local + central + end) == "bad_archive"


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_W8_two_entries_of_one_name_are_refused():
    assert code_of(zip_of(HEADER, SIGNALS, ("x.txt", b"1"), ("X.TXT", b"2"))) == "bad_archive"
    assert code_of(zip_of(HEADER, SIGNALS, ("x.txt", b"1"), ("x.txt", b"2"))) == "bad_archive"


def test_W8_a_symbolic_link_is_refused():
    link = zipfile.ZipInfo("link.dat")
    link.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(*HEADER)
        archive.writestr(link, "/etc/passwd")

    assert code_of(buffer.getvalue()) == "bad_archive"


def test_W8_an_encrypted_entry_is_refused():
    payload = bytearray(zip_of(HEADER, SIGNALS))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        payload[payload.index(signature) + offset] |= 1

    assert refused(bytes(payload)).detail == "The zip is encrypted."


def test_W8_another_compression_is_refused():
    assert code_of(zip_of(HEADER, SIGNALS, compression=zipfile.ZIP_BZIP2)) == "bad_archive"


def test_W2_W8_a_header_over_the_limit_is_refused():
    large = ("record.hea", b"#" * (MAX_HEADER_BYTES + 1))

    assert code_of(zip_of(large, SIGNALS)) == "bad_archive"


def test_W8_a_bomb_is_refused_quickly_and_without_its_memory():
    bomb = zip_of(HEADER, ("record.dat", bytes(200_000_000)), compression=zipfile.ZIP_DEFLATED)

    started = time.thread_time()
    tracemalloc.start()
    code = code_of(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert code == "bad_archive"
    assert peak < 3 * MAX_SIGNAL_BYTES
    assert time.thread_time() - started < 1.0


def test_W8_a_size_that_lies_is_refused():
    payload = bytearray(zip_of(HEADER, SIGNALS, compression=zipfile.ZIP_DEFLATED))
    entry = payload.rindex(b"PK\x01\x02")
    struct.pack_into("<L", payload, entry + 24, 3)

    assert code_of(bytes(payload)) == "bad_archive"


@pytest.mark.parametrize("stated", [2, 9, 3000])
def test_W8_a_directory_of_many_entries_is_refused_before_it_is_parsed(stated, monkeypatch):
    payload = stating(zip_of(*MANY), stated)
    refuse_parsing(monkeypatch)

    assert code_of(payload) == "bad_archive"


def test_W8_one_entry_too_many_is_refused_before_the_directory_is_parsed(monkeypatch):
    payload = zip_of(HEADER, SIGNALS, *MANY[:7])
    refuse_parsing(monkeypatch)

    assert code_of(payload) == "bad_archive"


def test_W8_more_entries_than_stated_are_counted():
    assert code_of(stating(zip_of(HEADER, SIGNALS, *MANY[:7]), 2)) == "bad_archive"


def test_W8_a_zip64_locator_is_refused(monkeypatch):
    payload = zip_of(HEADER, SIGNALS)
    refuse_parsing(monkeypatch)
    with_locator = payload[:-22] + b"PK\x06\x07" + bytes(16) + payload[-22:]

    assert code_of(with_locator) == "bad_archive"


def test_W8_no_cut_of_an_archive_raises_anything_else():
    payload = zip_of(HEADER, SIGNALS)

    for length in range(4, len(payload)):
        assert code_of(payload[:length]) == "bad_archive"


def test_W8_no_flipped_byte_raises_anything_else():
    payload = zip_of(HEADER, SIGNALS, compression=zipfile.ZIP_DEFLATED)

    for place in range(len(payload)):
        damaged = bytearray(payload)
        damaged[place] ^= 0xFF
        try:
            read_archive(bytes(damaged))
        except (InvalidInput, UnsupportedMediaType):
            continue
