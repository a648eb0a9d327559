"""Behind a proxy, whatever it says of its clients, strangers do not become the owner. A real nginx."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from serving_process import ServingProcess

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(NGINX is None, reason="there is no nginx: apt-get install nginx-light"),
]

CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/client_body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://127.0.0.1:{service}; {settings} }}
    }}
}}
"""
PROXIES = {
    "that says nothing and asks for this machine": "",
    "that passes on the name that was asked for": "proxy_set_header Host $http_host;",
    "that asks for localhost over a connection that stays": (
        'proxy_set_header Host localhost; proxy_http_version 1.1; proxy_set_header Connection "";'
    ),
    "that says for whom it asks": "proxy_set_header X-Forwarded-For $remote_addr;",
}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextmanager
def proxied(serving: ServingProcess, folder: Path, settings: str) -> Iterator[str]:
    """Run nginx before a service, and give its address."""
    assert NGINX is not None
    port = free_port()
    file = folder / "nginx.conf"
    file.write_text(CONFIGURATION.format(folder=folder, port=port, service=serving.port, settings=settings))
    process = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(file)], stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 20
        while not _listens(port):
            assert process.poll() is None, (folder / "error.log").read_text()
            assert time.monotonic() < end
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("settings", PROXIES.values(), ids=PROXIES)
def test_a_stranger_is_answered_but_starts_no_study(
    start_serving: Callable[..., ServingProcess], tmp_path: Path, settings: str
) -> None:
    serving = start_serving()
    with proxied(serving, tmp_path, settings) as address, httpx.Client(base_url=address) as stranger:
        page = stranger.get("/studies")
        assert page.status_code == 200
        assert "data-owner" not in page.text
        assert stranger.get("/api/studies").json()["runnable"] is False
        token = page.text.split('name="digitlab-token" content="')[1].split('"')[0]
        for path in ("", "/mlp-neurons/stop", "/mlp-neurons/resume"):
            answer = stranger.post(f"/api/studies{path}", headers={"X-Digitlab-Token": token}, json={})
            assert answer.status_code == 403
