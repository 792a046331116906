"""Client addresses: forwarded headers are believed only from configured proxies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.addresses import UNKNOWN, client_of, networks_of

PROXIES = networks_of(["10.0.0.0/8", "fd00::1"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", ["1.1.1.1"], "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1"], "1.1.1.1"),
        ("10.0.0.1", ["6.6.6.6, 1.1.1.1"], "1.1.1.1"),
        ("10.0.0.1", ["6.6.6.6", "1.1.1.1, 10.2.2.2"], "1.1.1.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["John Doe"], UNKNOWN),
        ("fd00::1", ["2001:db8::5"], "2001:db8::/64"),
        ("2001:db8:0:0:9::1", [], "2001:db8::/64"),
        ("::ffff:192.0.2.1", [], "192.0.2.1"),
        (None, ["1.1.1.1"], UNKNOWN),
    ],
)
def test_the_counted_client_is_the_first_hop_that_is_no_proxy_of_ours(peer, forwarded, expected):
    assert client_of(peer, forwarded, PROXIES) == expected


@given(st.lists(st.text(max_size=30), max_size=4))
def test_without_configured_proxies_no_header_changes_the_client(forwarded):
    assert client_of("203.0.113.9", forwarded, ()) == "203.0.113.9"


def test_a_proxy_that_is_no_address_is_refused_at_the_start():
    with pytest.raises(ValueError, match="proxy"):
        networks_of(["proxy.example"])
