"""The hash chain: every edit, gap, swap and cut is found (figure 14)."""

import base64
import dataclasses
import json
import random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.chain import (
    ChainVerifier,
    Fault,
    Link,
    Position,
    next_record,
    position_holds,
    sign_position,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = [KEY.public_key()]
TIME = "2026-11-20T12:00:00.000000Z"
CASES = 10_000
LENGTH = 8
ANCHORED = 5


def entry_of(number):
    return {
        "time": TIME,
        "request_id": f"r-{number}",
        "prediction_id": f"p-{number}",
        "caller": "k1",
        "outcome": "accepted",
        "answer": {"probabilities": {"NORMAL": 0.25, "PNEUMONIA": 0.75}},
    }


def chain_of(numbers, link=None):
    records, link = [], link or Link()
    for number in numbers:
        record = next_record(link, entry_of(number))
        link = Link(record.seq, record.hash)
        records.append(record)
    return records


def signed(kind, record, key=KEY):
    return sign_position(kind, Link(record.seq, record.hash), TIME, key)


RECORDS = chain_of(range(1, LENGTH + 1))
HEAD = signed("head", RECORDS[-1])
ANCHOR = signed("anchor", RECORDS[ANCHORED - 1])


def faults_of(records, head=HEAD, *, anchors=(ANCHOR,), base=None, keys=PUBLIC):
    verifier = ChainVerifier(keys, base=base, anchors=anchors)
    for record in records:
        verifier.feed(record)
    return verifier.finish(head)


def codes(faults):
    return {fault.code for fault in faults}


def test_an_untouched_chain_has_no_faults():
    assert faults_of(RECORDS) == ()


def test_an_empty_chain_with_its_first_head_has_no_faults():
    assert faults_of([], Position("head", 0, "0" * 64, "", ""), anchors=()) == ()


def edit_a_column(records, rng):
    index = rng.randrange(len(records))
    name = rng.choice(["hash", "previous_hash", "time", "request_id", "prediction_id", "caller"])
    value = list(getattr(records[index], name))
    place = rng.randrange(len(value))
    value[place] = "x" if value[place] != "x" else "y"
    records[index] = dataclasses.replace(records[index], **{name: "".join(value)})


def edit_the_body(records, rng):
    index = rng.randrange(len(records))
    body = bytearray(records[index].body.encode())
    body[rng.randrange(len(body))] ^= 1 << rng.randrange(7)
    records[index] = dataclasses.replace(records[index], body=body.decode())


def delete_some(records, rng):
    start = rng.randrange(len(records) - 1)
    del records[start : rng.randrange(start + 1, len(records))]


def truncate(records, rng):
    del records[rng.randrange(len(records)) :]


def swap_two(records, rng):
    first, second = rng.sample(range(len(records)), 2)
    one, two = records[first], records[second]
    records[first] = dataclasses.replace(two, seq=one.seq)
    records[second] = dataclasses.replace(one, seq=two.seq)


def reorder_two(records, rng):
    first, second = rng.sample(range(len(records)), 2)
    records[first], records[second] = records[second], records[first]


def repeat_one(records, rng):
    index = rng.randrange(len(records))
    records.insert(index, records[index])


def rewrite_the_tail(records, rng):
    """Edit one entry and hash everything after it again, as one who knows the algorithm would."""
    start = rng.randrange(len(records))
    link = Link(start, records[start].previous_hash)
    for index in range(start, len(records)):
        entry = json.loads(records[index].body)["entry"]
        if index == start:
            entry["outcome"] = "rejected"
        records[index] = next_record(link, entry)
        link = Link(records[index].seq, records[index].hash)


def add_a_record_of_ones_own(records, rng):
    last = records[-1]
    records.append(next_record(Link(last.seq, last.hash), entry_of(rng.randrange(10**6))))


TAMPERINGS = [
    edit_a_column,
    edit_the_body,
    delete_some,
    truncate,
    swap_two,
    reorder_two,
    repeat_one,
    rewrite_the_tail,
    add_a_record_of_ones_own,
]


def test_ten_thousand_random_edits_deletions_swaps_and_truncations_are_all_found():
    rng = random.Random(20261120)
    missed = []
    for case in range(CASES):
        tampering = TAMPERINGS[case % len(TAMPERINGS)]
        records = list(RECORDS)
        tampering(records, rng)
        assert records != RECORDS
        if not faults_of(records):
            missed.append((case, tampering.__name__))

    assert missed == []


@pytest.mark.parametrize("kept", range(ANCHORED))
def test_a_tail_cut_before_the_last_anchor_is_found_even_with_an_old_genuine_head(kept):
    records = RECORDS[:kept]
    head = signed("head", records[-1]) if records else Position("head", 0, "0" * 64, "", "")

    assert codes(faults_of(records, head)) == {"truncated"}


def test_a_tail_cut_after_the_last_anchor_with_an_old_genuine_head_stays_unseen():
    """The documented limit of a chain: nothing outside the database has seen those records."""
    records = RECORDS[:ANCHORED]

    assert faults_of(records, signed("head", records[-1])) == ()


def test_a_head_that_another_key_signed_is_found():
    assert codes(faults_of(RECORDS, signed("head", RECORDS[-1], OTHER))) == {"head_signature"}


def test_an_anchor_cannot_stand_in_for_a_head():
    assert codes(faults_of(RECORDS, signed("anchor", RECORDS[-1]))) == {"head_signature"}


@pytest.mark.parametrize(
    "change", [{"kind": "head"}, {"seq": 6}, {"hash": "0" * 64}, {"time": "2026"}], ids=str
)
def test_a_signature_covers_every_member_of_its_position(change):
    assert position_holds(ANCHOR, PUBLIC)
    assert not position_holds(dataclasses.replace(ANCHOR, **change), PUBLIC)


def test_a_missing_head_row_is_found():
    assert codes(faults_of(RECORDS, None)) == {"head_missing"}


def test_a_forged_anchor_is_found():
    forged = signed("anchor", RECORDS[2], OTHER)

    assert codes(faults_of(RECORDS, anchors=[forged])) == {"anchor_signature"}


def test_a_chain_that_was_replaced_from_its_beginning_contradicts_its_anchors():
    other = chain_of(range(100, 100 + LENGTH))

    assert "anchor" in codes(faults_of(other, signed("head", other[-1])))


def test_a_record_that_was_made_anew_with_a_right_hash_breaks_the_link_of_the_next():
    anew = next_record(Link(RECORDS[1].seq, RECORDS[1].hash), entry_of(99))

    assert faults_of([*RECORDS[:2], anew, *RECORDS[3:]]) == (Fault(4, "previous_hash"),)


def test_a_pruned_chain_verifies_from_its_signed_base():
    base = signed("base", RECORDS[2])

    assert faults_of(RECORDS[3:], base=base) == ()
    assert faults_of(RECORDS[ANCHORED + 1 :], base=signed("base", RECORDS[ANCHORED])) == ()


def test_a_beginning_that_is_missing_without_a_signed_base_is_found():
    assert "gap" in codes(faults_of(RECORDS[3:]))
    forged = signed("base", RECORDS[2], OTHER)
    assert codes(faults_of(RECORDS[3:], base=forged)) == {"base_signature"}
    head_as_base = signed("head", RECORDS[2])
    assert codes(faults_of(RECORDS[3:], base=head_as_base)) == {"base_signature"}


def test_a_base_that_contradicts_an_anchor_is_found():
    other = chain_of(range(100, 100 + LENGTH))
    base = signed("base", other[ANCHORED - 1])

    found = faults_of(other[ANCHORED:], signed("head", other[-1]), base=base)

    assert Fault(ANCHORED, "anchor") in found


def test_positions_of_an_earlier_key_hold_when_that_key_is_given():
    head = signed("head", RECORDS[-1], OTHER)

    assert faults_of(RECORDS, head, keys=[*PUBLIC, OTHER.public_key()]) == ()


@pytest.mark.parametrize("signature", ["", "no base64!", base64.b64encode(b"short").decode()])
def test_a_signature_that_is_none_does_not_hold(signature):
    assert not position_holds(dataclasses.replace(HEAD, signature=signature), PUBLIC)


@pytest.mark.parametrize("body", ["", "[]", '{"entry":3}', '{"entry":{}}', "\ud800"])
def test_a_body_that_is_no_record_is_a_fault_and_no_crash(body):
    records = [dataclasses.replace(RECORDS[0], body=body), *RECORDS[1:]]

    assert {"hash", "columns"} <= codes(faults_of(records))
