import pytest

from contracts.errors import ModelUnavailable
from serving.holder import ModelHolder


def test_C9_without_a_model_there_is_an_error_and_no_demo_answer():
    holder = ModelHolder[str]()

    with pytest.raises(ModelUnavailable) as missing:
        _ = holder.engine

    assert (missing.value.status, missing.value.code) == (503, "model_unavailable")


def test_a_model_that_was_put_is_held_until_it_is_cleared():
    holder = ModelHolder[str]()

    holder.put("engine")
    held = holder.engine
    holder.clear()

    assert held == "engine"
    assert holder.is_empty
