"""Two inputs that MD5 cannot tell apart are two inputs here: only SHA-256 names an input.

The pair is the one of X. Wang and H. Yu, "How to Break MD5 and Other Hash Functions", EUROCRYPT
2005 (first shown in IACR ePrint 2004/199). It begins like no picture, so that here it is the
samples of a record, which the gateway packs unread.
"""

import hashlib

import pytest

from contracts.receipts import BadReceipt, check_input, load_public_key, verify_receipt
from gateway.upload import pack_record
from tests.gateway.fakes import FakeServices, open_gateway
from tests.gateway.forms import CONTENT_TYPE, form, part

URL = "/v1/ecg/predictions"
FORM = {"content-type": CONTENT_TYPE}
HEADER = b"a header"
ONE = bytes.fromhex(
    "d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f89"
    "55ad340609f4b30283e488832571415a085125e8f7cdc99fd91dbdf280373c5b"
    "d8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0"
    "e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70"
)
OTHER = bytes.fromhex(
    "d131dd02c5e6eec4693d9a0698aff95c2fcab50712467eab4004583eb8fb7f89"
    "55ad340609f4b30283e4888325f1415a085125e8f7cdc99fd91dbd7280373c5b"
    "d8823e3156348f5bae6dacd436c919c6dd53e23487da03fd02396306d248cda0"
    "e99f33420f577ee8ce54b67080280d1ec69821bcb6a8839396f965ab6ff72a70"
)


@pytest.fixture
async def client(tmp_path):
    async with open_gateway(tmp_path, FakeServices()) as client:
        yield client


def record_of(samples):
    return form(part("file", HEADER, "a.hea"), part("file", samples, "a.dat"))


def test_I11_the_two_inputs_share_their_md5():
    digests = {hashlib.md5(data, usedforsecurity=False).hexdigest() for data in (ONE, OTHER)}

    assert digests == {"79054025255fb1a26e4bc422aef54eb4"}
    assert ONE != OTHER


async def test_I11_inputs_that_share_a_weak_digest_get_hashes_and_receipts_of_their_own(client):
    key = load_public_key((await client.get("/v1/receipts/key")).json()["public_key_pem"])
    receipts = []
    packed = [pack_record(HEADER, samples) for samples in (ONE, OTHER)]
    for samples, payload in zip((ONE, OTHER), packed, strict=True):
        answer = (await client.post(URL, content=record_of(samples), headers=FORM)).json()
        url = f"/v1/predictions/{answer['prediction_id']}/receipt"
        receipts.append(verify_receipt((await client.get(url)).json(), key))
        assert answer["input"]["sha256"] == hashlib.sha256(payload).hexdigest()

    first, second = receipts
    assert first.input_sha256 != second.input_sha256
    check_input(first, packed[0])
    check_input(second, packed[1])
    for receipt, payload in ((first, packed[1]), (second, packed[0])):
        with pytest.raises(BadReceipt):
            check_input(receipt, payload)


async def test_I11_an_idempotency_key_does_not_give_one_of_them_the_answer_of_the_other(client):
    keyed = FORM | {"Idempotency-Key": "same"}
    first = await client.post(URL, content=record_of(ONE), headers=keyed)
    second = await client.post(URL, content=record_of(OTHER), headers=keyed)

    assert (first.status_code, second.status_code) == (200, 409)
