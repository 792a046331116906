"""What counts as a weak secret, and what a process beyond loopback needs."""

import pytest

from serving.secrets import BadSecret, check_secret, check_token

GOOD = "Zt4kQp8vLx2mWn7bRc5yHd3jFs6gTa9e"
NAME = "SERVICE_INTERNAL_TOKEN"


@pytest.mark.parametrize(
    "weak", ["", "short", "a" * 64, "changeme" + GOOD, "my-Secret-" + GOOD, "abcabcabc" * 8]
)
def test_weak_and_placeholder_secrets_are_refused(weak):
    with pytest.raises(BadSecret):
        check_secret("the internal token", weak)


def test_a_random_secret_is_accepted():
    check_secret("the internal token", GOOD)


def test_a_refusal_does_not_repeat_the_secret():
    with pytest.raises(BadSecret) as refusal:
        check_secret("the internal token", "hunter2")

    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
@pytest.mark.parametrize("token", [None, "", "changeme", GOOD])
def test_on_loopback_any_token_or_none_is_allowed(host, token):
    check_token(NAME, token, host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "services.example"])
@pytest.mark.parametrize(("token", "words"), [(None, "required"), ("", "required"), ("t", "weak")])
def test_beyond_loopback_a_token_is_required_and_must_be_strong(host, token, words):
    with pytest.raises(BadSecret, match=f"{NAME}.*{words}"):
        check_token(NAME, token, host)

    check_token(NAME, GOOD, host)
