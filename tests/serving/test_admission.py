import pytest

from contracts.errors import Overloaded
from serving.admission import Admission


def test_F6_beyond_the_limit_a_request_is_refused_at_once():
    admission = Admission(2)

    with admission.slot(), admission.slot():
        with pytest.raises(Overloaded) as refused, admission.slot():
            pass
        full = admission.readiness()

    assert full == "queue_full"
    assert 1 <= refused.value.retry_after_seconds <= 3


def test_a_place_is_given_back_also_after_a_failure():
    admission = Admission(1)

    with pytest.raises(ValueError, match="x"), admission.slot():
        raise ValueError("x")

    assert (admission.inside, admission.readiness()) == (0, None)
