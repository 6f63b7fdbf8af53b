"""What answers HTTP in place of a server that is not there."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Without a word on stderr."""

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def answering(handler: type[Handler]) -> Iterator[str]:
    """GIVES: Its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
