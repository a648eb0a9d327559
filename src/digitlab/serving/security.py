"""Who may call the service, and what browsers may do with its pages."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Iterable

from starlette.requests import Request

from digitlab.serving.replies import RefusalError

TOKEN_HEADER = "X-Digitlab-Token"

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; frame-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'"
)
# Swagger UI sets style attributes while it draws.
DOCS_POLICY = PAGE_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
# A report is one file with its styles in it and no script.
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox"
)

SAFETY_HEADERS = (
    (b"content-security-policy", PAGE_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""Of every answer that does not set them itself, but those to programs."""

_OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")
_EVERYWHERE = ("0.0.0.0", "::", "")


class HostNames:
    """The names under which a service may be called; others could be a stranger's page in disguise.

    Args:
        host: address that is listened on.
        allowed: further names or addresses.
    """

    def __init__(self, host: str, allowed: Iterable[str] = ()) -> None:
        own = () if host in _EVERYWHERE else (host,)
        names = (name.lower().rstrip(".") for name in (*_OWN_NAMES, *own, *allowed))
        self.names = frozenset(f"[{name}]" if _is_bare_ipv6(name) else name for name in names)
        self._seen: dict[bytes, bool] = {}

    def allows(self, header: bytes) -> bool:
        """Say whether a `Host` header names this service, whatever the port."""
        known = self._seen.get(header)
        if known is None:
            known = _name_in(header.decode("latin-1").lower()) in self.names
            if known and len(self._seen) < 1000:  # what strangers send is not kept
                self._seen[header] = known
        return known


def _is_bare_ipv6(name: str) -> bool:
    return ":" in name and not name.startswith("[")


def _name_in(host: str) -> str:
    """Take the port off a host."""
    name, colon, port = host.rpartition(":")
    if not colon or "]" in port:
        name = host
    elif not port.isdecimal():
        return ""
    return name.rstrip(".")


def new_token() -> str:
    """Make the token that the service's own pages send with what changes state."""
    return secrets.token_urlsafe(24)


def require_token(request: Request, token: str) -> None:
    """Refuse a state-changing request that does not come from one of the service's own pages.

    Raises:
        RefusalError: the token is missing or wrong, or the request comes from another origin.
    """
    sent = request.headers.get(TOKEN_HEADER, "")
    if not hmac.compare_digest(sent.encode("utf-8"), token.encode("ascii")):
        raise RefusalError(403, f"expected the page's token in the header {TOKEN_HEADER}: reload the page")
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2].lower() != request.headers.get("host", "").lower():
        raise RefusalError(
            403, "expected a request from this service's own page, received one from another origin"
        )


def is_local(request: Request) -> bool:
    """Say whether a request comes from this machine, and not through a proxy on it."""
    if request.client is None or "forwarded" in request.headers or "x-forwarded-for" in request.headers:
        return False
    try:
        address = ipaddress.ip_address(request.client.host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def require_local(request: Request) -> None:
    """Refuse a request from another machine.

    Raises:
        RefusalError: it comes from elsewhere.
    """
    if not is_local(request):
        raise RefusalError(
            403, "studies are started and stopped on the machine that serves: open the page there"
        )
