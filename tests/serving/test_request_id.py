import uuid

import pytest


@pytest.mark.parametrize("sent", ["abc-123", "A" * 64, "0"])
async def test_a_well_formed_id_is_kept(app, call, sent):
    response = await call(app, "GET", "/livez", headers={"X-Request-ID": sent})

    assert response.headers["X-Request-ID"] == sent


@pytest.mark.parametrize("sent", ["", "A" * 65, "a b", "a;b", "ü", "a_b", "../x"])
async def test_F17_any_other_id_is_replaced(app, call, sent):
    response = await call(app, "GET", "/livez", headers={"X-Request-ID": sent.encode()})

    assert uuid.UUID(response.headers["X-Request-ID"])


async def test_two_ids_are_none(app, call):
    headers = [("X-Request-ID", "one"), ("X-Request-ID", "two")]

    response = await call(app, "GET", "/livez", headers=headers)

    assert uuid.UUID(response.headers["X-Request-ID"])


async def test_an_answer_has_one_id_even_when_it_is_an_error(app, call):
    response = await call(app, "GET", "/nowhere", headers={"X-Request-ID": "mine"})

    assert response.headers.get_list("X-Request-ID") == ["mine"]
