"""The settings with which a service is started, and its limits on clients."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from digitlab.workspace import DEFAULT_STORE, Workspace

MEBIBYTE = 2**20


def new_secret() -> str:
    """Generate a random text that nobody can guess."""
    return secrets.token_urlsafe(24)


@dataclass(frozen=True)
class Limits:
    """Limits on what clients may take; beyond them, requests are refused or connections dropped.

    Attributes:
        picture_bytes: largest body of a request with a picture, also when it is inflated.
        tensor_bytes: largest body of an inference request, also when it is inflated.
        json_bytes: largest body of any other request, also when it is inflated.
        all_bodies_bytes: largest total of the bodies that are being read or processed.
        header_bytes: largest size of a request's line, headers and trailers, and of what its chunks carry
            beside the body.
        header_fields: largest number of headers and trailers of a request.
        pipelined_requests: largest number of requests on a connection that wait for the one before them.
        header_seconds: longest time from the first byte of a request, or the start of a connection, to the
            end of the request's headers.
        body_seconds: longest pause within a body, and time that it may take beyond its length at `body_rate`.
        body_rate: lowest rate at which a client may send a body, in bytes per second.
        idle_seconds: longest time of a connection between two requests.
        write_seconds: longest time in which a client reads nothing of an answer.
        unread_bytes: largest total of answers that clients have not read; beyond it, the client that has
            waited longest is dropped.
        connections: largest number of connections at the same time; beyond it, the one that has been idle
            for longest is dropped.
        queue_images: number of images that may always wait for a network; more may if it is fast enough.
        queue_seconds: amount of a network's work that may wait; requests beyond both this and
            `queue_images` are answered 503.
        batch_images: number of images at which a batch is full and a longer request is split; the last
            request of a batch may exceed it.
        batch_seconds: time that a batch should take, so that nothing behind it waits for long.
        refusal_seconds: delay before an inference is refused, so that clients that retry at once cannot
            take the machine from those that are being answered.
        queue_pictures: largest number of pictures and files that wait or are processed; requests beyond it
            are answered 503.
        queue_comparisons: largest number of comparisons of networks that wait or are computed; requests
            beyond it are answered 503.
        event_streams: largest number of clients that follow studies at the same time.
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
    """Settings with which a service is started.

    Attributes:
        model: name of a shipped network, or folder of a bundle; it answers where no other is requested.
        host: address to listen on.
        port: port to listen on; 0 for a free one.
        allowed_hosts: names, beside `host` and the loopback names, under which the service may be called.
        store: path of the studies' SQLite file; drawings, studies and networks lie beside it.
        limits: limits on clients.
        owner_key: secret of the person who starts the service, without which no study is started or stopped.
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
        """The paths of the store and of all that the service writes."""
        return Workspace.of(self.store)
