import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import BadRequest, InvalidField, InvalidInput, PayloadTooLarge, ServiceError
from contracts.modality import Column, TableSpec
from contracts.tables import decode_table, encode_table, parse_json_object

SPEC = TableSpec(
    (
        Column("age", "Age", "integer", unit="years", minimum=18, maximum=100),
        Column("weight", "Weight", "number", unit="kg", minimum=20.0, maximum=300.0),
        Column("sex", "Sex", "choice", choices=(("female", 0.0), ("male", 1.0))),
        Column("smoker", "Smoker", "flag", required=False),
    )
)
GOOD = {"age": 50, "weight": 70.5, "sex": "male", "smoker": True}


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "malformed_json"),
        (b"{", "malformed_json"),
        (b"{'a': 1}", "malformed_json"),
        (b'{"a": 01}', "malformed_json"),
        (b'\xef\xbb\xbf{"a": 1}', "malformed_json"),
        ('{"a": 1}'.encode("utf-16"), "malformed_json"),
        ('{"a": 1}'.encode("utf-16-le"), "malformed_json"),
        (b'{"a": "\xff"}', "malformed_json"),
    ],
)
def test_X2_bytes_that_are_no_json_are_a_bad_request(payload, code):
    with pytest.raises(BadRequest) as caught:
        parse_json_object(payload)

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"[1]", "not_an_object"),
        (b"1", "not_an_object"),
        (b"null", "not_an_object"),
        (b'{"a": NaN}', "invalid_number"),
        (b'{"a": -Infinity}', "invalid_number"),
        (b'{"a": 1e999}', "invalid_number"),
        (b'{"a": ' + b"9" * 5000 + b"}", "invalid_number"),
        (b'{"a": 1, "a": 2}', "duplicate_key"),
        (b'{"b": {"a": 1, "a": 2}}', "duplicate_key"),
        (b'{"a": "\\ud800"}', "invalid_text"),
        (b'{"\\udfff": 1}', "invalid_text"),
        (b'{"a": ' + b"[" * 30000 + b"]" * 30000 + b"}", "json_too_deep"),
        (b'{"a":' * 10000, "json_too_deep"),
    ],
)
def test_X2_json_that_says_something_forbidden_is_refused_by_code(payload, code):
    with pytest.raises(InvalidInput) as caught:
        parse_json_object(payload)

    assert caught.value.code == code


def test_X2_a_body_over_the_limit_is_refused_before_it_is_parsed():
    with pytest.raises(PayloadTooLarge):
        parse_json_object(b'{"a": "' + b"x" * 70_000 + b'"}')


def test_brackets_inside_strings_do_not_count_as_depth():
    assert parse_json_object(b'{"a": "[[[[[[[[[[\\"[[[[["}') == {"a": '[[[[[[[[[["[[[[['}


def test_an_unterminated_string_of_escaped_quotes_is_refused_in_linear_time():
    payload = b'{"a": ' + b'"\\' * 30_000

    started = time.perf_counter()
    with pytest.raises(BadRequest):
        parse_json_object(payload)

    assert time.perf_counter() - started < 1.0


def test_well_formed_text_with_a_surrogate_pair_is_read():
    assert parse_json_object(b'{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}


@given(st.binary(max_size=300))
def test_X2_arbitrary_bytes_give_an_object_or_a_client_error(payload):
    try:
        document = parse_json_object(payload)
    except ServiceError as error:
        assert 400 <= error.status < 500
    else:
        assert isinstance(document, dict)


def test_a_row_comes_in_trained_order_with_codes_for_names():
    row = decode_table(dict(reversed(GOOD.items())), SPEC)

    assert row.names == ("age", "weight", "sex", "smoker")
    assert row.values == (50.0, 70.5, 1.0, 1.0)


def test_an_optional_column_may_be_absent_or_null():
    absent = decode_table({k: v for k, v in GOOD.items() if k != "smoker"}, SPEC)

    assert absent == decode_table(GOOD | {"smoker": None}, SPEC)
    assert absent.missing == ("smoker",)


def test_historical_rows_may_lack_required_columns():
    assert decode_table({"age": 50}, SPEC, complete=False).missing == ("weight", "sex", "smoker")


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"age": None}, "missing_field", "age"),
        ({"age": 101}, "out_of_range", "age"),
        ({"age": -5}, "out_of_range", "age"),
        ({"age": 50.5}, "invalid_field", "age"),
        ({"age": "50"}, "invalid_field", "age"),
        ({"age": True}, "invalid_field", "age"),
        ({"weight": [70]}, "invalid_field", "weight"),
        ({"weight": 10**40}, "out_of_range", "weight"),
        ({"sex": 1}, "invalid_field", "sex"),
        ({"sex": "Male"}, "invalid_field", "sex"),
        ({"sex": {}}, "invalid_field", "sex"),
        ({"smoker": 1}, "invalid_field", "smoker"),
        ({"smoker": "yes"}, "invalid_field", "smoker"),
        ({"is_admin": True}, "unknown_field", None),
        ({"model_version": "9"}, "unknown_field", None),
    ],
)
def test_X1_X4_a_bad_member_is_named_and_never_echoed(change, code, field):
    with pytest.raises(InvalidField) as caught:
        decode_table(GOOD | change, SPEC)

    assert (caught.value.code, caught.value.field) == (code, field)
    for name, value in change.items():
        if value is not None and field is not None:
            assert f" {value} " not in f" {caught.value.detail.rstrip('.')} "
        if field is None:
            assert name not in caught.value.detail


def test_a_refusal_states_the_allowed_range_with_its_unit():
    with pytest.raises(InvalidField, match="a whole number from 18 to 100 years"):
        decode_table(GOOD | {"age": 400}, SPEC)


def test_encoding_a_row_gives_the_document_back():
    assert encode_table(decode_table(GOOD, SPEC), SPEC) == GOOD


def test_reading_tables_does_not_load_numpy():
    script = "import sys, contracts.tables; sys.exit('numpy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
