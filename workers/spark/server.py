"""/healthz, /readyz and /metrics on one small HTTP server thread."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from status import Status


def answer(path: str, status: Status, registry: CollectorRegistry) -> tuple[int, str, bytes]:
    """The response to GET `path`: code, content type, body."""
    if path == "/healthz":
        alive = status.alive()
        return (200, "text/plain", b"ok\n") if alive else (503, "text/plain", b"nothing has moved for too long\n")
    if path == "/readyz":
        state = status.snapshot()
        return (200 if state["ready"] else 503), "application/json", json.dumps(state).encode()
    if path == "/metrics":
        return 200, CONTENT_TYPE_LATEST, generate_latest(registry)
    return 404, "text/plain", b"there are /healthz, /readyz and /metrics\n"


def serve(status: Status, registry: CollectorRegistry, port: int) -> ThreadingHTTPServer:
    """Serves on `port` (0: any free one, see server_address) until `shutdown()`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code, content_type, body = answer(self.path.split("?")[0], status, registry)
            self.send_response(code)
            self.send_header("content-type", content_type)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args) -> None:
            """A probe every few seconds is not worth a line."""

    server = ThreadingHTTPServer(("", port), Handler)
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    return server
