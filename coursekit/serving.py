"""A small service around a model: photos come in by HTTP, answers go out, and how it is doing can be asked.

    coursekit serve cells            then drop a photo on http://127.0.0.1:8000
    curl --data-binary @photo.jpg http://127.0.0.1:8000/predict

Requests that come together are answered in one batch, since a model needs less time for eight photos at once
than for eight, one by one. Everything that a stranger can send is limited: bytes, pixels, kinds of file, how
long a photo may take to arrive, how many may wait.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from socket import AF_INET, AF_INET6, create_server, socket
from typing import Any

from .onnx_model import ABOUT, OnnxModel
from .photo_page import photo_page
from .serving_limits import Limits, RefusedError, check_photo, read_photo

SCRIPT = Path(__file__).with_suffix(".js")
NOTE = "The photo goes to this service and to nobody else, and is not kept."
LATELY = 200  # answers that are looked at to see whether something has changed
# The page may load nothing from anywhere, and ask this service alone.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
    "img-src blob:"
)
HERE = ("127.0.0.1", "localhost", "::1")


def open_model(folder: str | os.PathLike[str]) -> tuple[Callable[[Any], Any], Callable[[list], list], str]:
    """How a folder's model prepares one photo, and how it answers to several prepared ones; and its name.

    Raises what `OnnxModel` and `load_model` raise.
    """
    place = Path(folder)
    if (place / ABOUT).exists():
        graph = OnnxModel(place)
        return graph.prepare, lambda items: [graph.read(row) for row in graph.run(stacked(items))], place.name
    from .inference import load_model  # and torch with it, which a graph has no need of

    saved = load_model(place)
    return opened, lambda photos: saved.predict_all(photos, len(photos), progress=False), place.name


def stacked(items: Sequence[Any]) -> Any:
    """Prepared items as one array."""
    import numpy as np

    return np.stack(items)


def opened(file: BytesIO) -> Any:
    """A photo as Pillow has it, decoded and upright; ValueError for a broken one."""
    from PIL import Image, ImageOps

    try:
        with Image.open(file) as photo:
            return ImageOps.exif_transpose(photo)
    except MemoryError:
        raise
    except Exception as error:  # Pillow's readers raise whatever a broken file makes them stumble over.
        raise ValueError(f"this is not a picture that can be read: {error}") from None


class Desk:
    """Collects questions that come together, and asks the model once for all of them.

    Args:
        answer: Gives the answers to several prepared items.
        batch: How many at once, at most.
        wait: How many seconds the first of them waits for the others.

    Attributes:
        batches: How many times the model was asked.
    """

    def __init__(self, answer: Callable[[list], list], batch: int, wait: float) -> None:
        self.answer, self.batch, self.wait, self.batches = answer, batch, wait, 0
        self._queue: asyncio.Queue = asyncio.Queue()
        self._thread = ThreadPoolExecutor(1, "model")

    async def ask(self, item: Any) -> Any:
        """The answer to one item, when its batch is done."""
        answered = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((item, answered))
        return await answered

    async def work(self) -> None:
        """Answer until cancelled."""
        while True:
            batch = await self.gather()
            self.batches += 1
            try:
                items = [item for item, _ in batch]
                answers = await asyncio.get_running_loop().run_in_executor(self._thread, self.answer, items)
                for (_, answered), answer in zip(batch, answers, strict=True):
                    if not answered.done():  # Who asked may have gone.
                        answered.set_result(answer)
            except Exception as error:
                for _, answered in batch:
                    if not answered.done():
                        answered.set_exception(error)

    async def gather(self) -> list:
        """The next questions: the first that comes, and those that come soon after it."""
        batch = [await self._queue.get()]
        until = time.monotonic() + self.wait
        while len(batch) < self.batch:
            try:
                left = until - time.monotonic()
                batch.append(
                    self._queue.get_nowait() if left <= 0 else await asyncio.wait_for(self._queue.get(), left)
                )
            except (asyncio.QueueEmpty, TimeoutError):
                break
        return batch


@dataclass
class Watch:
    """What a service has answered, to see when photos are no longer what they were.

    Without labels nobody can say how many answers are right. But when another camera comes, the share of each
    answer moves, or the model becomes less sure, and both can be seen at once.

    >>> watch = Watch()
    >>> watch.add("broken", 0.9); watch.add("sound", 0.7)
    >>> watch.said(5)["answers"], watch.said(5)["mean_confidence"]
    ({'broken': 1, 'sound': 1}, 0.8)
    """

    began: float = field(default_factory=time.time)
    answers: Counter = field(default_factory=Counter)
    refused: Counter = field(default_factory=Counter)
    confidence: float = 0.0
    lately: deque = field(default_factory=lambda: deque(maxlen=LATELY))

    def add(self, label: str, confidence: float | None) -> None:
        """Remember an answer."""
        self.answers[label] += 1
        self.confidence += confidence or 0.0
        self.lately.append((label, confidence or 0.0))

    def said(self, batches: int) -> dict[str, Any]:
        """All of it, as data."""
        count, last = self.answers.total(), len(self.lately)
        return {
            "seconds": round(time.time() - self.began),
            "answered": count,
            "batches": batches,
            "refused": {str(status): number for status, number in sorted(self.refused.items())},
            "answers": dict(sorted(self.answers.items())),
            "mean_confidence": round(self.confidence / count, 4) if count else None,
            "lately": {
                "answered": last,
                "answers": dict(sorted(Counter(label for label, _ in self.lately).items())),
                "mean_confidence": round(sum(one for _, one in self.lately) / last, 4) if last else None,
            },
        }


def make_app(
    folder: str | os.PathLike[str], limits: Limits | None = None, hosts: Sequence[str] = HERE
) -> Any:
    """The service as an application that any ASGI server runs.

    Args:
        folder: What `save_onnx` or `save_model` wrote.
        limits: How much strangers may ask.
        hosts: By which names it may be called; "*" for any. A page of another site cannot reach a service on
            this machine by a name of its own then.

    Raises:
        ImportError: FastAPI is not installed.
    """
    try:
        from fastapi import FastAPI
        from starlette.middleware.trustedhost import TrustedHostMiddleware
    except ImportError:
        raise ImportError("serving needs FastAPI: pip install 'coursekit-topdown[export]'.") from None
    limits = limits or Limits()
    prepare, answer, name = open_model(folder)
    service = Service(name, prepare, limits, Desk(answer, limits.batch, limits.wait))

    @asynccontextmanager
    async def life(app: Any) -> AsyncIterator[None]:
        work = asyncio.create_task(service.desk.work())
        yield
        work.cancel()

    app = FastAPI(title=f"coursekit: {name}", lifespan=life, docs_url=None, redoc_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*hosts])
    add_routes(app, service)
    return app


def add_routes(app: Any, service: Service) -> None:
    """What can be asked: an answer, the page, how the service is doing."""
    from fastapi import Request
    from fastapi.responses import HTMLResponse, JSONResponse

    @app.exception_handler(RefusedError)
    async def refuse(request: Any, error: RefusedError) -> Any:
        service.watch.refused[error.status] += 1
        # What has not arrived yet is not waited for.
        headers = {"Retry-After": "1"} if error.status == 503 else {"Connection": "close"}
        return JSONResponse({"error": error.sentence}, error.status, headers)

    async def predict(request: Any) -> dict[str, Any]:
        return await service.predict(request)

    # Said by the class itself: this module is read without FastAPI, so its annotations cannot name it.
    predict.__annotations__["request"] = Request
    app.post("/predict")(predict)
    page = photo_page(f"{service.name}: ask the model", NOTE, [SCRIPT.read_text(encoding="utf-8")])

    @app.get("/", response_class=HTMLResponse)
    async def home() -> Any:
        return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})

    @app.get("/health")
    async def health() -> dict[str, Any]:
        return {"status": "ok", "model": service.name, **service.watch.said(service.desk.batches)}


class Service:
    """Takes a photo from a request to its answer, and counts what happens.

    Args:
        name: What the model is called.
        prepare: Makes of an open file what the model is given.
        limits: How much strangers may ask.
        desk: Asks the model.
    """

    def __init__(self, name: str, prepare: Callable[[Any], Any], limits: Limits, desk: Desk) -> None:
        self.name = name
        self.prepare, self.limits, self.desk, self.watch = prepare, limits, desk, Watch()
        self.waiting = 0
        # As many as can work at once: each holds a whole photo in memory while it decodes.
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, "photos")

    async def predict(self, request: Any) -> dict[str, Any]:
        """The answer to the photo of a request."""
        if self.waiting >= self.limits.most_waiting:
            raise RefusedError(503, "Too many photos are waiting: send yours again in a moment.")
        self.waiting += 1
        try:
            data = await read_photo(request, self.limits)
            loop = asyncio.get_running_loop()
            said = await self.desk.ask(await loop.run_in_executor(self._threads, self.opened, data))
        finally:
            self.waiting -= 1
        label = ", ".join(said.value) if isinstance(said.value, list) else str(said.value)
        chances = said.probabilities or {}
        confidence = chances.get(label, max(chances.values(), default=None))
        self.watch.add(label if chances else "numbers", confidence)
        return {"answer": said.value if chances else as_list(said.value), "probabilities": said.probabilities}

    def opened(self, data: bytes) -> Any:
        """A photo as the model is given it."""
        check_photo(data, self.limits.most_pixels)
        try:
            return self.prepare(BytesIO(data))
        except ValueError as error:
            raise RefusedError(422, f"This photo cannot be read: {str(error).rpartition(': ')[2]}.") from None


def as_list(value: Any) -> Any:
    """Numbers as JSON holds them."""
    return value.tolist() if hasattr(value, "tolist") else value


def serve(
    folder: str | os.PathLike[str], host: str = "127.0.0.1", port: int = 8000, limits: Limits | None = None
) -> None:
    """Serve a model until Ctrl-C or SIGTERM; questions that have come by then are still answered.

    Only this machine is served by default, for nobody is asked who they are. To serve others, name the
    address by which they reach you, and put a server with passwords and TLS before it.

    Raises:
        ImportError: FastAPI or uvicorn is not installed.
        OSError: The port is taken, or may not be had.
    """
    try:
        import uvicorn
    except ImportError:
        raise ImportError("serving needs uvicorn: pip install 'coursekit-topdown[export]'.") from None
    limits = limits or Limits()
    app = make_app(folder, limits, HERE if host in HERE else ("*",))
    settings = uvicorn.Config(
        app,
        log_level="warning",
        timeout_graceful_shutdown=10,
        timeout_keep_alive=5,
        limit_concurrency=limits.most_waiting + 64,
    )
    with listen(host, port) as line, suppress(KeyboardInterrupt):
        uvicorn.Server(settings).run([line])


def listen(host: str, port: int) -> socket:
    """Take a port; one sentence says if that cannot be."""
    try:
        return create_server((host, port), family=AF_INET6 if ":" in host else AF_INET)
    except OSError as error:
        said = f"port {port} of {host} cannot be had: {error.strerror}. Another can be named: --port."
        raise OSError(said) from None
