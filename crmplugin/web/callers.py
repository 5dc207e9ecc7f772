"""Where a request comes from, behind proxies too, and how often one program may call.

`X-Forwarded-For` is read from its right end, and only as far as the hops are proxies that the settings name: what
stands further left was written by whoever called, so nobody becomes another by writing a header.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
IPV6_HOME = 64
"""Bits of an IPv6 address that stand for one home or firm: within them anybody can choose an address at will."""
MOST_CALLERS = 10_000
BURST_S = 10.0
"""So many seconds' worth of calls may come at once."""


def caller_of(remote: str | None, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """Who called, as a text to count by: an IPv4 address or an IPv6 network. Empty where it is not known."""
    address = _parsed(remote or "")
    hops = [hop.strip() for line in forwarded for hop in line.split(",") if hop.strip()]
    while address is not None and hops and any(address in network for network in trusted):
        further = _parsed(hops.pop())
        if further is None:
            break  # what no proxy of ours writes is nobody's address
        address = further
    return "" if address is None else _home_of(address)


def _parsed(text: str) -> Address | None:
    """The address in a hop, which may have a port or brackets."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _home_of(address: Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((address, IPV6_HOME), strict=False))


class CallRate:
    """How often each holder of a token may call this process: a bucket each, full at the beginning."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._gap, self._depth = 1.0 / per_second, BURST_S
        self._clock = clock
        self._lock = threading.Lock()
        self._full_at: dict[str, float] = {}

    def wait_s(self, name: str) -> float:
        """Counts a call; 0.0 when it may be made, else the seconds to wait, and then it is not counted."""
        now = self._clock()
        with self._lock:
            full_at = max(self._full_at.get(name, now), now)
            if full_at + self._gap - now > self._depth:
                return full_at + self._gap - now - self._depth
            if len(self._full_at) >= MOST_CALLERS:
                self._full_at = {key: at for key, at in self._full_at.items() if at > now}
            self._full_at[name] = full_at + self._gap
        return 0.0
