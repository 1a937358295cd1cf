"""One page on this machine's own address, for whoever has its token: 127.0.0.1, GET and HEAD, nothing else.

Another site that is open in the same browser may know the port, and may make its own name lead here: a
request needs the token in its path, our address as its host, and no origin but ours. Knows nothing of what it
serves.
"""

from __future__ import annotations

import re
import secrets
import sys
import threading
from html import unescape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

ADDRESS = "127.0.0.1"
TIMEOUT_S = 10.0
"""So long a client may take for its request."""

_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')


class PageServer:
    """Serves one page until it is closed.

    Args:
        page: the whole HTML file, with a security policy of its own.
        port: 0 takes any that is free.

    Attributes:
        address: where it is, token included.

    Raises:
        OSError: the port is taken.

    Example:
        >>> from urllib.request import urlopen
        >>> with PageServer("<!DOCTYPE html><title>one</title>") as server:
        ...     urlopen(server.address).read().decode()
        '<!DOCTYPE html><title>one</title>'
    """

    def __init__(self, page: str, *, port: int = 0) -> None:
        self._delivered = threading.Event()
        self._server = _Server(page, port, self._delivered)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self.address = f"{self._server.origins[0]}{self._server.path}"
        self._thread.start()

    def __repr__(self) -> str:
        """Return where the page is."""
        return f"PageServer({self.address})"

    def __enter__(self) -> Self:
        """Return the server, which runs already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def wait_until_delivered(self, timeout_s: float) -> bool:
        """Return whether somebody fetched the page, waiting for it so long."""
        return self._delivered.wait(timeout_s)

    def wait(self) -> None:
        """Wait until the server is closed, or Ctrl-C is pressed."""
        while self._thread.is_alive():  # a wait without end would not hear Ctrl-C everywhere
            self._thread.join(0.5)

    def close(self) -> None:
        """Stop, and give the port back."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    """The page, and by what a request for it is known."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, page: str, port: int, delivered: threading.Event) -> None:
        super().__init__((ADDRESS, port), _Handler)
        self.page = page.encode()
        self.delivered = delivered
        self.hosts = [f"{name}:{self.server_port}" for name in (ADDRESS, "localhost")]
        self.origins = [f"http://{host}" for host in self.hosts]
        self.path = f"/{secrets.token_urlsafe(24)}/"
        found = _POLICY.search(page)
        own = unescape(found[1]) if found else "default-src 'none'"
        self.policy = f"{own}; frame-ancestors 'none'"

    def handle_error(self, request: object, client_address: object) -> None:
        """Let a client go that went away; anything else is told."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    server: _Server
    timeout = TIMEOUT_S
    server_version, sys_version = "unrolled", ""

    def do_GET(self) -> None:
        """Answer with the page."""
        if self._is_ours():
            self._answer(HTTPStatus.OK, self.server.page)
            self.server.delivered.set()

    def do_HEAD(self) -> None:
        """Answer with what stands before the page."""
        if self._is_ours():
            self._answer(HTTPStatus.OK, self.server.page)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no GET and no HEAD, or no HTTP; nothing of the request is sent back."""
        status = HTTPStatus(code)
        self._answer(HTTPStatus.METHOD_NOT_ALLOWED if status == HTTPStatus.NOT_IMPLEMENTED else status)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _is_ours(self) -> bool:
        """Return whether the request may have the page; where not, it is answered."""
        hosts, origins = self.headers.get_all("Host", []), self.headers.get_all("Origin", [])
        path = self.path.partition("?")[0]
        if len(hosts) != 1 or hosts[0] not in self.server.hosts or not {*origins} <= {*self.server.origins}:
            self._answer(HTTPStatus.FORBIDDEN)
        elif not secrets.compare_digest(path.encode(), self.server.path.encode()):
            self._answer(HTTPStatus.NOT_FOUND)
        else:
            return True
        return False

    def _answer(self, status: HTTPStatus, page: bytes | None = None) -> None:
        """Send an answer; without a page it is the status alone."""
        body = f"{status.value} {status.phrase}\n".encode() if page is None else page
        kind = "text/plain" if page is None else "text/html"
        self.close_connection = True
        self.send_response(status)
        for name, value in {
            "Content-Type": f"{kind}; charset=utf-8",
            "Content-Length": str(len(body)),
            "Content-Security-Policy": self.server.policy if page else "default-src 'none'",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
            "Connection": "close",
            **({"Allow": "GET, HEAD"} if status == HTTPStatus.METHOD_NOT_ALLOWED else {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
