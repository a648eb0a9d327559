"""Access control of the service, and the security headers of its pages."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from digitlab.serving.refusals import RefusalError

TOKEN_HEADER = "X-Digitlab-Token"
KEY = "key"
"""Query parameter with which the owner opens the first page."""

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
"""Headers of every answer that does not set them itself, except those of the inference protocol."""

_OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")
_EVERYWHERE = ("0.0.0.0", "::", "")

# Headers that proxies add: a request with one of them was forwarded.
_FORWARDING = frozenset(
    (
        "forwarded",
        "via",
        "x-real-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-original-host",
        "x-envoy-external-address",
        "true-client-ip",
        "cf-connecting-ip",
        "cf-ray",
        "fastly-client-ip",
        "client-ip",
    )
)


class HostNames:
    """Host names under which a service may be called; a protection against DNS rebinding.

    Args:
        host: address that the service listens on.
        allowed: further names or addresses.
    """

    def __init__(self, host: str, allowed: Iterable[str] = ()) -> None:
        own = () if host in _EVERYWHERE else (host,)
        names = (name.lower().rstrip(".") for name in (*_OWN_NAMES, *own, *allowed))
        self.names = frozenset(f"[{name}]" if _is_bare_ipv6(name) else name for name in names)
        self._seen: dict[bytes, bool] = {}

    def allows(self, header: bytes) -> bool:
        """Return whether a `Host` header names this service, whatever the port."""
        known = self._seen.get(header)
        if known is None:
            known = _name_in(header.decode("latin-1").lower()) in self.names
            if known and len(self._seen) < 1000:  # what strangers send is not kept
                self._seen[header] = known
        return known


def _is_bare_ipv6(name: str) -> bool:
    return ":" in name and not name.startswith("[")


def _name_in(host: str) -> str:
    """Return a host without its port; empty if the port is not a number."""
    name, colon, port = host.rpartition(":")
    if not colon or "]" in port:
        name = host
    elif not port.isdecimal():
        return ""
    return name.rstrip(".")


def require_token(request: Request, token: str) -> None:
    """Raise unless a state-changing request comes from one of the service's own pages.

    Raises:
        RefusalError: the token is missing or wrong, or the request comes from another origin.
    """
    sent = request.headers.get(TOKEN_HEADER, "")
    if not _is_secret(sent, token):
        raise RefusalError(403, f"expected the page's token in the header {TOKEN_HEADER}: reload the page")
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2].lower() != request.headers.get("host", "").lower():
        raise RefusalError(
            403, "expected a request from this service's own page, received one from another origin"
        )


def is_local(request: Request) -> bool:
    """Return whether a request seems to come from this machine, and not through a proxy on it.

    A proxy need not identify itself, so that what only the owner may do is not protected by this alone.
    """
    if request.client is None or any(map(_is_forwarded, request.headers)):
        return False
    host = _name_in(request.headers.get("host", "").lower()).strip("[]")
    return _is_loopback(request.client.host) and (host == "localhost" or _is_loopback(host))


def _is_forwarded(header: str) -> bool:
    return header in _FORWARDING or header.startswith("x-forwarded")


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)  # not every Python counts ::ffff:127.0.0.1 as loopback
    return (mapped or address).is_loopback


def is_owner(request: Request, key: str) -> bool:
    """Return whether a request comes from the person who started the service: local, and with the key.

    Args:
        request: the request, whose cookie may hold the key.
        key: key that the service printed when it started.
    """
    sent = request.cookies.get(_owner_cookie(request), "")
    return is_local(request) and _is_secret(sent, key)


def require_owner(request: Request, key: str) -> None:
    """Raise unless a request comes from the person who started the service.

    Raises:
        RefusalError: the request comes from elsewhere, or without the key.
    """
    if not is_local(request):
        raise RefusalError(
            403, "studies are started and stopped on the computer that runs the service: open the page there"
        )
    if not is_owner(request, key):
        raise RefusalError(
            403, "only the owner of the service can start and stop studies: open the address that it printed"
        )


def welcome(request: Request, key: str) -> Response:
    """Answer a request for a page with a key in its query: move the key to a cookie, if it is right.

    Args:
        request: the request, with a key in its query.
        key: key that the service printed when it started.
    """
    sent = request.query_params.get(KEY, "")
    response = RedirectResponse(request.url.path, 303, {"Cache-Control": "no-store"})
    if is_local(request) and _is_secret(sent, key):
        response.set_cookie(_owner_cookie(request), key, httponly=True, samesite="lax")
    return response


def _is_secret(sent: str, secret: str) -> bool:
    """Compare in a time that does not depend on how much of it is right."""
    return hmac.compare_digest(sent.encode("utf-8"), secret.encode("ascii"))


def _owner_cookie(request: Request) -> str:
    """Return the cookie's name, one per port: browsers send a machine's cookies to all of its ports."""
    _, port = request.scope.get("server") or ("", None)
    return f"digitlab-owner-{port}"
