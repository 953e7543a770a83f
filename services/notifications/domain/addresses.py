"""Where a webhook may go: public addresses, and those that the operator allows; pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Names that mean this machine or this network wherever they are looked up.
_LOCAL_NAMES: Final = (".localhost", ".local", ".internal", ".intranet", ".lan", ".home.arpa")
_NEVER_IN_A_URL: Final = re.compile(r'[\s"<>\\^`{|}]')
_NAT64: Final = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, kw_only=True)
class AddressRules:
    allowed: tuple[Network, ...] = ()

    def allows(self, address: str) -> bool:
        """Tell whether a request may go to an address: one that it hides in IPv6 counts as itself."""
        real = _unwrapped(ip_address(address.split("%", 1)[0]))
        return self.is_opened(real) or _is_public(real)

    def is_opened(self, address: Address) -> bool:
        return any(address in network for network in self.allowed if network.version == address.version)

    def allows_plain(self, addresses: Iterable[str]) -> bool:
        """Tell whether plain HTTP will do: only inside networks that the operator has opened."""
        found = [_unwrapped(ip_address(address.split("%", 1)[0])) for address in addresses]
        return bool(found) and all(self.is_opened(address) for address in found)


def split(url: str) -> tuple[SplitResult, str]:
    """Take a URL apart, and answer its host with it.

    Raises:
        ValueError: with the reason, in words for its owner.
    """
    if _NEVER_IN_A_URL.search(url):
        raise ValueError("must not hold spaces, quotes, backslashes or angle or curly brackets")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError("is no URL") from error
    if parts.scheme not in {"https", "http"}:
        raise ValueError("must begin with https://")
    if not host:
        raise ValueError("names no host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user name or password")
    if parts.fragment:
        raise ValueError("must not hold a fragment")
    return parts, host


def literal(host: str) -> str | None:
    """Answer the host if it is an address itself, not a name."""
    try:
        return str(ip_address(host))
    except ValueError:
        return None


def is_local_name(host: str) -> bool:
    name = host.rstrip(".").lower()
    return literal(host) is None and ("." not in name or name.endswith(_LOCAL_NAMES))


def parse_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Read CIDRs such as `10.0.0.0/8`.

    Raises:
        ValueError: one is none.
    """
    return tuple(IPv6Network(text) if ":" in text else IPv4Network(text) for text in texts)


def _unwrapped(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


def _is_public(address: Address) -> bool:
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    )
