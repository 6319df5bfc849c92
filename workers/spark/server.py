"""/healthz, /readyz, /metrics and /project on one small HTTP server thread."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Callable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from status import StageError, Status

#: A page of the audit is of a few megabytes, or holds one user (workers/audit/driver.ts).
LONGEST_BODY = 32 * 1024 * 1024


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
    return 404, "text/plain", b"there are /healthz, /readyz, /metrics and POST /project\n"


def projection(project: Callable[[str], str], body: str) -> tuple[int, str, bytes]:
    """The response to POST /project: what the pipeline's SQL makes of the users in `body`."""
    try:
        return 200, "application/x-ndjson", project(body).encode()
    except Exception as error:
        known = error if isinstance(error, StageError) else StageError("Spark", "ProjectionFailed", str(error)[:1000])
        return 503, "application/json", json.dumps({"reason": known.reason, "message": known.message}).encode()


def serve(
    status: Status, registry: CollectorRegistry, port: int, project: Callable[[str], str]
) -> ThreadingHTTPServer:
    """Serves on `port` (0: any free one, see server_address) until `shutdown()`; `project` is what a Projector does."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(*answer(self.path.split("?")[0], status, registry))

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            if self.path != "/project" or length > LONGEST_BODY:
                there_is = f"there is POST /project with up to {LONGEST_BODY >> 20} MiB\n"
                return self._send(400, "text/plain", there_is.encode())
            self._send(*projection(project, self.rfile.read(length).decode()))

        def _send(self, code: int, content_type: str, body: bytes) -> None:
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
