"""Quick check of a Ray cluster's address; Ray itself tries for half a minute."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, cast

from digitlab.errors import UserError

if TYPE_CHECKING:
    import grpc

SECONDS = 5.0  # time limit of the check

_METHODS = {"": "NodeInfoGcsService/CheckAlive", "ray://": "RayletDriver/ClusterInfo"}


def probe(address: str) -> None:
    """Check that a Ray cluster answers at an address.

    Args:
        address: `HOST:PORT`, or `ray://HOST:PORT` of a Ray client server.

    Raises:
        UserError: the address has another form, nothing answers, or the cluster asks for a token.
    """
    import grpc

    match = re.fullmatch(r"(ray://|)([^/]+:\d+)", address)
    if match is None:
        raise UserError(f"address: expected auto, HOST:PORT or ray://HOST:PORT, received {address!r}")
    if os.environ.get("RAY_USE_TLS", "0") != "0":
        return  # only Ray has the certificates
    scheme, where = match.groups()
    options = [("grpc.enable_http_proxy", 0)]  # Ray itself uses none
    try:
        with grpc.insecure_channel(where, options=options) as channel:
            channel.unary_unary(f"/ray.rpc.{_METHODS[scheme]}")(b"", timeout=SECONDS)
    except grpc.RpcError as error:
        _refuse(address, cast("grpc.Call", error))


def _refuse(address: str, answer: grpc.Call) -> None:
    from grpc import StatusCode

    code = answer.code()
    if code in (StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED):
        details = " ".join((answer.details() or "").split())[:200]
        reason = f"no response ({details}); start one with  ray start --head"
    elif code == StatusCode.UNAUTHENTICATED and os.environ.get("RAY_AUTH_MODE") != "token":
        reason = "one that requires a token; set RAY_AUTH_MODE=token and put its token into ~/.ray/auth_token"
    else:
        return  # something answers; Ray reports any other error
    raise UserError(f"address {address}: expected a Ray cluster, received {reason}")
