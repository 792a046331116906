"""The client's address, and when a proxy's word about it is believed."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
UNKNOWN = "unknown"
#: One subscriber usually holds a whole /64: it counts as one client.
IPV6_CLIENT_PREFIX = 64


def networks_of(proxies: Sequence[str]) -> tuple[Network, ...]:
    """Read addresses and networks of trusted proxies; raise ValueError for anything else."""
    return tuple(ip_network(proxy, strict=False) for proxy in proxies)


def client_of(peer: str | None, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """Return the name under which a client's requests are counted.

    `forwarded` are the `X-Forwarded-For` headers as sent. They are read from the right, and only as
    far as each hop is a trusted proxy: what stands further left, anybody may have written.
    """
    hops = [hop.strip() for header in forwarded for hop in header.split(",")]
    client = peer or UNKNOWN
    while hops and _is_trusted(client, trusted):
        client = hops.pop()
    return _bucket(client)


def _is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    """True when the address belongs to a configured proxy."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in trusted)


def _bucket(address: str) -> str:
    """Return the counted form: an IPv4 address, an IPv6 network, or `unknown` for no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return UNKNOWN
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((int(parsed), IPV6_CLIENT_PREFIX), strict=False))
