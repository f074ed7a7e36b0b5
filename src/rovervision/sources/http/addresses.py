"""Which addresses may be asked: https, hosts on a list, and nothing that could be read in two ways."""

import re
from collections.abc import Container
from typing import Final

from rovervision.sources.http.config import ArchiveAddresses, HttpConfig
from rovervision.sources.http.transport import FetchError

ARCHIVE_HOSTS: Final = ("mars.nasa.gov", "mars.jpl.nasa.gov", "planetarydata.jpl.nasa.gov")
"""Hosts that the records of the archives point to."""

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
# Narrower than RFC 3986: no user-info, no escapes in the host, no backslash, so that every parser sees the same host.
_ADDRESS: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[::1\])(?P<port>:[0-9]{1,5})?(?P<rest>[/?#][^\x00-\x1f\x7f\\]*)?",
    re.IGNORECASE | re.ASCII,
)


def allowed_hosts(config: HttpConfig, addresses: ArchiveAddresses) -> frozenset[str]:
    """Return the hosts that a run may ask, in lower case: the archives' own, those configured, and those added.

    Raises FetchError("unsafe_address") for an archive's address that is none.
    """
    configured = [
        _configured_host(field, address)
        for field, address in addresses
        if isinstance(address, str) and address and not field.endswith("_key_variable")
    ]
    added = [host.strip().lower() for host in config.allowed_hosts]
    return frozenset({*ARCHIVE_HOSTS, *configured, *added})


def _configured_host(field: str, address: str) -> str:
    try:
        return host_of(address)
    except FetchError as error:
        raise FetchError(error.reason, f"Parameter ingestion.addresses.{field}: {error}") from error


def host_of(address: str) -> str:
    """Return the host of an address in lower case, without the port. Raises FetchError("unsafe_address")."""
    return _parsed(address)["host"].lower()


def is_this_machine(host: str) -> bool:
    """Tell whether a host, in lower case, is this machine by one of its own names."""
    return host in _LOOPBACK or host == "::1"


def safe_address(address: str, hosts: Container[str]) -> str:
    """Return the address to ask in place of `address`: plain http to a NASA host on the list becomes https.

    Raises FetchError("unsafe_address") for a host that is not in `hosts` (lower case, without port), for plain
    http to any machine but this one, and for everything that is not a plain address of the web.
    """
    parts = _parsed(address)
    scheme, host, port = parts["scheme"].lower(), parts["host"].lower(), parts["port"] or ""
    if host not in hosts and host.strip("[]") not in hosts:
        raise FetchError(
            "unsafe_address", f"The host {host} is not one that images may come from; `allowed_hosts` would add it."
        )
    if scheme == "http" and not is_this_machine(host):
        if not host.endswith(".nasa.gov"):
            raise FetchError("unsafe_address", f"Plain http is refused for {host}; write https.")
        scheme, port = "https", "" if port == ":80" else port
    return f"{scheme}://{host}{port}{parts['rest'] or '/'}"


def _parsed(address: str) -> dict[str, str]:
    found = _ADDRESS.fullmatch(address)
    if not found:
        raise FetchError("unsafe_address", f"{address[:80]!a} is not a plain https address.")
    return found.groupdict()
