"""The server of a page: this machine alone, one page, who has its token, no other host, origin or method."""

from __future__ import annotations

import socket
from http.client import HTTPConnection, HTTPResponse
from typing import TYPE_CHECKING

import pytest

from unrolled.page.server import PageServer

if TYPE_CHECKING:
    from collections.abc import Iterator

POLICY = "default-src 'none'; script-src 'sha256-abc='"
PAGE = (
    f'<!DOCTYPE html><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    "<title>网络</title><p>one page"
)


@pytest.fixture
def server() -> Iterator[PageServer]:
    with PageServer(PAGE) as server:
        yield server


def asked(
    server: PageServer, path: str | None = None, method: str = "GET", **headers: str
) -> tuple[HTTPResponse, bytes]:
    """Ask the server for something."""
    host, _, own = server.address.removeprefix("http://").partition("/")
    connection = HTTPConnection(host, timeout=5)
    connection.putrequest(method, f"/{own}" if path is None else path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_the_page_and_its_head(server: PageServer) -> None:
    answer, body = asked(server)
    assert (answer.status, body) == (200, PAGE.encode())
    head, nothing = asked(server, method="HEAD")
    assert (head.status, nothing) == (200, b"")
    assert head.headers["Content-Length"] == str(len(PAGE.encode()))
    assert answer.headers["Content-Security-Policy"] == f"{POLICY}; frame-ancestors 'none'"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Python" not in answer.headers["Server"]


def test_a_name_that_leads_here_is_refused(server: PageServer) -> None:
    port = server.address.split(":")[2].split("/")[0]
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1:{int(port) + 1}", ""):
        answer, body = asked(server, Host=host)
        assert (answer.status, b"one page" in body) == (403, False), host
    assert asked(server, Host=f"localhost:{port}")[0].status == 200


def test_another_origin_is_refused(server: PageServer) -> None:
    own = server.address.rsplit("/", 2)[0]
    assert asked(server, Origin=own)[0].status == 200
    for origin in ("http://evil.example", "null", own.replace("http:", "https:")):
        assert asked(server, Origin=origin)[0].status == 403, origin


@pytest.mark.parametrize(
    "path", ["/", "/favicon.ico", "//", "/../../etc/passwd", "/%2e%2e/etc/passwd", "/wrong/", "*", "/\xe9/"]
)
def test_nothing_but_the_page_is_there(server: PageServer, path: str) -> None:
    host = server.address.removeprefix("http://").split("/")[0]
    with socket.create_connection(tuple(host.split(":"))) as line:  # type: ignore[arg-type]
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin-1"))
        answer = b"".join(iter(lambda: line.recv(4096), b""))
    assert answer.split()[1] == b"404"
    assert b"one page" not in answer


def test_the_token_is_long_and_new(server: PageServer) -> None:
    token = server.address.rsplit("/", 2)[1]
    assert len(token) >= 32
    assert asked(server, f"/{token[:-1]}/")[0].status == 404
    assert asked(server, f"/{token}/more")[0].status == 404
    assert asked(server, f"/{token}/?lang=zh")[0].status == 200
    with PageServer(PAGE) as other:
        assert other.address.rsplit("/", 2)[1] != token


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_other_methods_are_refused(server: PageServer, method: str) -> None:
    answer, body = asked(server, method=method)
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    assert b"one page" not in body


def test_it_listens_on_this_machine_alone(server: PageServer) -> None:
    assert server._server.server_address[0] == "127.0.0.1"
    assert server.address.startswith("http://127.0.0.1:")


def test_it_says_nothing_and_stops(capfd: pytest.CaptureFixture[str]) -> None:
    with PageServer(PAGE) as server:
        asked(server)
        asked(server, "/wrong/")
        host, port = server.address.removeprefix("http://").split("/")[0].split(":")
        with socket.create_connection((host, int(port))) as line:
            line.sendall(b"nonsense\r\n\r\n")
        assert server.wait_until_delivered(1)
    with pytest.raises(ConnectionRefusedError):
        asked(server)
    server.close()
    assert capfd.readouterr() == ("", "")


def test_who_waits_is_told_whether_it_was_fetched(server: PageServer) -> None:
    assert not server.wait_until_delivered(0.01)
    asked(server, method="HEAD")
    assert not server.wait_until_delivered(0.01)
    asked(server)
    assert server.wait_until_delivered(1)
