"""`digitlab serve`: the service and its pages."""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from digitlab.cli.console import say
from digitlab.cli.options import StoreOption
from digitlab.cli.streams import replacing
from digitlab.workspace import DEFAULT_STORE

INTERRUPTED = 130
_EVERYWHERE = ("0.0.0.0", "::")
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 is all addresses.")] = "127.0.0.1",
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Host name or address to accept in requests; repeatable."),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 selects a free one.")
    ] = 8000,
    model: Annotated[
        str, typer.Option(metavar="BUNDLE|NAME", help="Network to serve: a name, or a bundle's folder.")
    ] = "best",
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Serve a network to people and programs: pages, an HTTP API, the Open Inference Protocol.

    Ctrl-C or SIGTERM ends it when the requests in flight are answered, a second one at once; SIGHUP reads
    the network again.
    """
    # Before the service runs and after it has ended there is nothing to clean up: exit without waiting for
    # threads, and without a moment in which another Ctrl-C would show a traceback.
    before = signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    try:
        _serve(host, tuple(allow_host or ()), port, model, store)
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)
    except BaseException:
        signal.signal(signal.SIGINT, before)  # a program that called this goes on after a refused setting
        raise
    os._exit(0)


def _serve(host: str, names: tuple[str, ...], port: int, model: str, store: Path) -> None:
    from digitlab.serving.server import serve as run
    from digitlab.serving.settings import Settings

    if host in _EVERYWHERE and not names:
        say("other machines can only use a host name that is allowed: add  --allow-host NAME-OR-ADDRESS")
    logging.basicConfig(format="digitlab: %(message)s")
    logging.getLogger("digitlab.serving").setLevel(logging.INFO)
    settings = Settings(model=model, host=host, port=port, allowed_hosts=names, store=store)
    run(settings, lambda port: _announce(host, names, port, settings.owner_key))


def _announce(host: str, names: tuple[str, ...], port: int, owner_key: str) -> None:
    """Print the addresses of the service, also as QR codes for phones.

    An address that only this machine can use includes the owner's key; the others may be shared.
    """
    everywhere = host in _EVERYWHERE
    own = "127.0.0.1" if everywhere else host
    if own not in _THIS_MACHINE:
        say("studies cannot be started from its pages: this requires --host 127.0.0.1 or all addresses")
    for name in (own, *names):
        host_in_url = f"[{name}]" if ":" in name else name  # an IPv6 address
        address = f"http://{host_in_url}:{port}/"
        shown = f"{address}?key={owner_key}" if name in _THIS_MACHINE else address
        print(shown, flush=True)  # at once, for a program that waits for the address
        if everywhere and name in names:
            _print_qr(address)


def _print_qr(address: str) -> None:
    import segno

    # Half blocks where the encoding has them, else coloured spaces.
    blocks = "▀▄█"
    compact = replacing(blocks, sys.stdout.encoding) == blocks
    segno.make(address, micro=False).terminal(sys.stdout, compact=compact)
    sys.stdout.flush()
