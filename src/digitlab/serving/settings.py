"""What a service is started with, and the limits that it keeps to."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from digitlab.workspace import DEFAULT_STORE, Workspace

MEBIBYTE = 2**20


def new_secret() -> str:
    """Make a text that nobody can guess."""
    return secrets.token_urlsafe(24)


@dataclass(frozen=True)
class Limits:
    """What the service takes from its clients; beyond it they are refused or dropped.

    Attributes:
        picture_bytes: of the body of a request that brings a picture, also inflated.
        tensor_bytes: of the body of an inference request, likewise.
        json_bytes: of any other body, likewise.
        all_bodies_bytes: of the bodies that are being read or worked on, together.
        header_bytes: of a request's line, headers and trailers, and what its chunks carry beside the body.
        header_fields: headers and trailers of a request.
        pipelined_requests: on a connection, that wait for the answer to the one before them.
        header_seconds: from the first byte of a request, or the beginning of a connection, to the end of
            its headers.
        body_seconds: in which a body has to go on, and what it may take beyond its length at `body_rate`.
        body_rate: bytes a second, the slowest client that is served.
        idle_seconds: that a connection may wait between two requests.
        write_seconds: in which a client has to take some of an answer.
        unread_bytes: of answers that clients have not taken, together; beyond it who has waited longest goes.
        connections: at the same time; beyond it the one that has been idle for longest goes.
        queue_images: that may always wait for a network; more may if it is fast enough.
        queue_seconds: of a network's work that may wait; beyond both, requests are answered 503.
        batch_images: that go through a network at once, at most.
        batch_seconds: that a batch should take, so that none behind it waits for long.
        refusal_seconds: after which an inference is refused: clients that come back at once cannot take
            the machine from those that are being answered.
        queue_pictures: that wait to be read; beyond it requests are answered 503.
        queue_comparisons: of networks, likewise.
        event_streams: clients that follow a study at the same time.
    """

    picture_bytes: int = 32 * MEBIBYTE
    tensor_bytes: int = 16 * MEBIBYTE
    json_bytes: int = MEBIBYTE
    all_bodies_bytes: int = 256 * MEBIBYTE
    header_bytes: int = 64 * 1024
    header_fields: int = 256
    pipelined_requests: int = 32
    header_seconds: float = 10.0
    body_seconds: float = 10.0
    body_rate: float = 10_000.0
    idle_seconds: float = 30.0
    write_seconds: float = 20.0
    unread_bytes: int = 128 * MEBIBYTE
    connections: int = 4096
    queue_images: int = 32
    queue_seconds: float = 0.005
    batch_images: int = 64
    batch_seconds: float = 0.002
    refusal_seconds: float = 0.02
    queue_pictures: int = 32
    queue_comparisons: int = 8
    event_streams: int = 64


@dataclass(frozen=True)
class Settings:
    """How a service is started.

    Attributes:
        model: a shipped network's name or a bundle's folder; answers where no other is asked for.
        host: address that is listened on.
        port: likewise; 0 takes a free one.
        allowed_hosts: names, beside those of this machine itself, under which the service may be called.
        store: the SQLite file of the studies; drawings, studies and networks lie beside it.
        limits: what is taken from clients.
        owner_key: secret of who started it, without which nobody starts or stops a study.
    """

    model: str = "best"
    host: str = "127.0.0.1"
    port: int = 8000
    allowed_hosts: tuple[str, ...] = ()
    store: Path = DEFAULT_STORE
    limits: Limits = field(default_factory=Limits)
    owner_key: str = field(default_factory=new_secret, repr=False)

    @property
    def workspace(self) -> Workspace:
        """The places of the store and of all that the service writes."""
        return Workspace.of(self.store)
