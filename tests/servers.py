"""A real web server for the tests of downloads: with ranges or without, breaking off, or lying."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


@dataclass
class Shelf:
    """What a server has and how it behaves; tests change it while it runs."""

    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    # After so many bytes of an answer the connection ends, that many times.
    breaks_after: int = 0
    breaks: int = 0
    # Seconds that it keeps silent before it ends.
    silence: float = 0
    # With which status it answers from then on.
    then: int = 0
    # Instead of the file: an answer with this status.
    status: int = 0
    asked: list[str] = field(default_factory=list)
    address: str = ""


@contextmanager
def serving(shelf: Shelf) -> Iterator[Shelf]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            shelf.asked.append(wanted)
            content = shelf.files.get(unquote(self.path).lstrip("/"))
            if shelf.status or content is None:
                self.send_error(shelf.status or 404)
                return
            start = int(wanted.removeprefix("bytes=").rstrip("-") or 0) if shelf.ranges else 0
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if shelf.ranges and wanted else 200)
            self.send_header("Content-Length", str(len(content) - start))
            if shelf.ranges and wanted:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            part = content[start:]
            if shelf.breaks > 0:
                shelf.breaks -= 1
                shelf.status = shelf.then
                part = part[: shelf.breaks_after]
            self.wfile.write(part)
            if len(part) < len(content) - start:
                time.sleep(shelf.silence)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    shelf.address = f"http://127.0.0.1:{server.server_address[1]}"
    yield shelf
    server.shutdown()
    thread.join()
    server.server_close()
