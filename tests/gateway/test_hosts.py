import pytest

from contracts.errors import BadRequest
from gateway.hosts import TrustedHostMiddleware


async def ask(*hosts):
    """Send a request with these Host headers; return whether it was passed on."""
    passed = []

    async def app(scope, receive, send):
        passed.append(scope)

    headers = [(b"host", host.encode()) for host in hosts]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers}
    await TrustedHostMiddleware(app, ["mediflow.example"])(scope, None, None)
    return bool(passed)


@pytest.mark.parametrize(
    "host", ["mediflow.example", "MediFlow.Example:8000", "localhost:8000", "[::1]:8000"]
)
async def test_our_own_names_are_served(host):
    assert await ask(host)


@pytest.mark.parametrize(
    "hosts",
    [["evil.example"], ["mediflow.example.evil"], [], ["mediflow.example", "evil.example"], [""]],
)
async def test_T14_any_other_doubled_or_missing_name_is_400(hosts):
    with pytest.raises(BadRequest) as caught:
        await ask(*hosts)

    assert "evil" not in caught.value.detail
