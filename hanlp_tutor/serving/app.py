"""``create_app(model)``: a FastAPI application around a model, with micro-batching, limits and counts.

>>> from hanlp_tutor.serving import create_app
>>> app = create_app("runs/05_finetune_ner/001/model")  # doctest: +SKIP

``uvicorn`` serves it; ``hanlp-tutor serve MODEL`` does so with a graceful stop (:mod:`hanlp_tutor.serving.server`).
"""

import asyncio
import importlib.resources
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from hanlp_tutor import __version__
from hanlp_tutor.errors import InputError, ModelError, TutorError
from hanlp_tutor.extras import needs
from hanlp_tutor.serving.batcher import Batcher, Batching, QueueFull, Stopping
from hanlp_tutor.serving.examples import examples_of
from hanlp_tutor.serving.gate import Gate, Limits
from hanlp_tutor.serving.opening import Served, open_model

PAGE = {"/": ("page.html", "text/html"), "/page.css": ("page.css", "text/css"),
        "/page.js": ("page.js", "text/javascript")}  # fmt: skip
REFUSALS = {
    400: "the body cannot be read",
    401: "no token, or a wrong one",
    408: "the body came too slowly",
    413: "the body is too large",
    422: "no text, too many or too long ones",
    429: "busy: try again after Retry-After seconds",
    503: "being stopped",
}
BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)  # seconds

_LIMITS = {"string_too_long": "--max-characters", "too_long": "--max-texts"}


def create_app(
    model: Any,
    *,
    batching: Batching | None = None,
    limits: Limits | None = None,
    token: str | None = None,
    cors: Sequence[str] = (),
    examples: Sequence[Any] | None = None,
    threads: int | None = None,
) -> Any:
    """A FastAPI application that serves a model.

    Args:
        model: a folder of the kit, of HanLP or ONNX, or an opened ``Model`` or ``Predictor``.
        batching: how requests are computed together.
        limits: of one request.
        token: that a request has to bring; None: none.
        cors: origins of pages elsewhere that may ask; none unless named.
        examples: for the page and the documentation; None: of the corpus of the kit that has the model's labels.
        threads: within one computation; None: as many as there are cores.

    Raises:
        ModelError: the model cannot be opened, or not answer. ConfigError: the extra ``serve`` is not installed.
    """
    for module in ("fastapi", "prometheus_client"):
        needs(module, "Serving a model")
    served = open_model(model, threads=threads)
    limits = limits or Limits()
    shown = list(examples) if examples is not None else examples_of(served)
    first = _try_out(served, shown)

    from fastapi import FastAPI
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import JSONResponse

    counts = _Counts()
    batcher = Batcher(served.answer, batching, size=_characters, seen=counts.batch)
    counts.watch(batcher)
    service = _Service(served, batcher, limits, shown)

    @asynccontextmanager
    async def life(app: Any) -> Any:
        yield
        await asyncio.to_thread(batcher.close)

    app = FastAPI(
        title="hanlp-tutor serve", version=__version__, lifespan=life, docs_url=None, redoc_url=None,
        description=f"A model of the task {served.task}. The page at / shows what it answers.",
    )  # fmt: skip
    app.state.batcher, app.state.served, app.state.examples = batcher, served, shown
    _add_predict(app, service, first)
    _add_facts(app, service, counts)
    _add_page(app)

    @app.exception_handler(RequestValidationError)
    async def explain(request: Any, error: RequestValidationError) -> Any:
        return JSONResponse({"detail": _reason(error.errors(), service.one, service.several)}, 422)

    @app.exception_handler(400)
    async def unreadable(request: Any, error: Any) -> Any:
        return JSONResponse({"detail": "the body cannot be read: send JSON in UTF-8"}, 400)

    app.add_middleware(Gate, limits=limits, token=token, seen=counts.request)
    if cors:  # outside the gate: a browser asks first, without the token
        from fastapi.middleware.cors import CORSMiddleware

        app.add_middleware(
            CORSMiddleware, allow_origins=list(cors), allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-Request-ID"], expose_headers=["X-Request-ID"],
        )  # fmt: skip
    return app


@dataclass
class _Service:
    """What the routes share: the model, the queue before it, the limits, and examples of what it takes."""

    served: Served
    batcher: Batcher
    limits: Limits
    examples: list[Any]

    @property
    def one(self) -> str:
        """The field of a body with one input; with an s, that of a list."""
        return "pair" if self.served.takes_pairs else "text"

    @property
    def several(self) -> str:
        return f"{self.one}s"

    async def answers(self, inputs: list[Any], log: dict[str, Any]) -> list[dict[str, Any]]:
        """Answers in the order of the inputs; ``log`` is told how many they are.

        Raises:
            HTTPException: 422, 429 or 503.
        """
        from starlette.exceptions import HTTPException

        try:
            inputs = [self.served.parse(each) for each in inputs]
            log.update(texts=len(inputs), characters=sum(map(_characters, inputs)))
            return await asyncio.wrap_future(self.batcher.submit(inputs)) if inputs else []
        except InputError as error:
            raise HTTPException(422, str(error)) from None
        except QueueFull as full:
            raise HTTPException(429, str(full), {"Retry-After": str(full.retry_after)}) from None
        except Stopping:
            raise HTTPException(503, "the service is being stopped", {"Retry-After": "5"}) from None


def _refused(*statuses: int) -> dict[int, dict[str, Any]]:
    """For the description: the refusals of a route."""
    from hanlp_tutor.serving.schemas import Problem

    return {status: {"model": Problem, "description": REFUSALS[status]} for status in statuses}


def _add_predict(app: Any, service: _Service, first: dict[str, Any]) -> None:
    """``POST /predict``; ``first`` is the answer to the first example."""
    from fastapi import Body, Query, Request
    from fastapi.responses import JSONResponse
    from starlette.exceptions import HTTPException

    from hanlp_tutor.serving.schemas import answers_of, request_of

    one, several, examples = service.one, service.several, service.examples
    Asked = request_of(service.limits, pairs=service.served.takes_pairs)
    longest = service.limits.characters
    documented = {
        "one": {"summary": f"one {one}", "value": {one: examples[0]}},
        "several": {"summary": f"a list of {several}", "value": {several: examples[:2]}},
    }
    answered = {"model": answers_of(service.served.task), "content": {"application/json": {"example": first}}}
    responses = {**_refused(*REFUSALS), 200: answered}

    @app.post("/predict", summary="label texts", response_model=None, responses=responses)
    async def predict(
        request: Request,
        text: str | None = Query(None, description="one text, as in the article", max_length=longest),
        body: Asked | None = Body(None, openapi_examples=documented),  # type: ignore[valid-type]  # noqa: B008
    ) -> Any:
        log = request.state.log
        if text is not None:
            if body is not None:
                raise HTTPException(422, "send the text in the address or in the body, not in both")
            return JSONResponse((await service.answers([_in_utf8(request)], log))[0])
        if body is None:
            raise HTTPException(422, f'no text: send JSON such as {{"{one}": ...}}, or ?text=...')
        given = body.model_dump(exclude_none=True)
        if one in given:
            return JSONResponse((await service.answers([given[one]], log))[0])
        return JSONResponse({"answers": await service.answers(given[several], log)})

    @app.get("/predict", include_in_schema=False)  # for an address bar; programs send by POST
    async def ask(request: Request, text: str | None = Query(None, max_length=longest)) -> Any:
        if text is None:
            allowed = {"Allow": "GET, POST"}
            raise HTTPException(405, f'send JSON such as {{"{one}": ...}} by POST, or GET /predict?text=...', allowed)
        return JSONResponse((await service.answers([_in_utf8(request)], request.state.log))[0])


def _add_facts(app: Any, service: _Service, counts: Any) -> None:
    """What the service says of itself: its health, its model, its counts."""
    from fastapi.responses import JSONResponse, PlainTextResponse
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

    @app.get("/health/live", summary="the process answers", responses=_refused(503))
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/health", include_in_schema=False)  # what many supervisors ask unless told otherwise
    @app.get("/health/ready", summary="requests are let in", responses=_refused(503))
    async def ready() -> Any:
        return {"status": "ready"} if service.batcher.alive else JSONResponse({"detail": "not ready"}, 503)

    @app.get("/model", summary="what is served", responses=_refused(401))
    async def about() -> Any:
        sizes = {name: getattr(service.limits, name) for name in ("body", "texts", "characters")}
        return JSONResponse({**service.served.describe(), "examples": service.examples, "limits": sizes})

    plain = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **_refused(401)}

    @app.get("/metrics", summary="counts for Prometheus", response_class=PlainTextResponse, responses=plain)
    async def metrics() -> Any:
        return PlainTextResponse(generate_latest(counts.registry), media_type=CONTENT_TYPE_LATEST)


def _add_page(app: Any) -> None:
    for path, (name, kind) in PAGE.items():
        content = importlib.resources.files("hanlp_tutor.serving").joinpath("page", name).read_text(encoding="utf-8")
        app.get(path, include_in_schema=False)(_static(content, kind))


class _Counts:
    """What ``/metrics`` tells; each application has its own."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self.registry = registry = CollectorRegistry()
        named = {"registry": registry, "namespace": "hanlp_tutor"}
        self._requests = Counter("requests", "Requests answered.", ["path", "status"], **named)
        self._seconds = Histogram("request_seconds", "From request to answer.", ["path"], buckets=BUCKETS, **named)
        self._texts = Counter("texts", "Texts computed.", **named)
        self._batch = Histogram("batch_texts", "Texts of a batch.", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256), **named)
        self._computing = Histogram("batch_seconds", "Computing a batch.", buckets=BUCKETS, **named)
        self._waiting = Gauge("queue_texts", "Texts that wait.", **named)

    def watch(self, batcher: Batcher) -> None:
        self._waiting.set_function(lambda: batcher.waiting)

    def request(self, path: str, status: int, seconds: float) -> None:
        self._requests.labels(path, status).inc()
        self._seconds.labels(path).observe(seconds)

    def batch(self, texts: int, seconds: float) -> None:
        self._texts.inc(texts)
        self._batch.observe(texts)
        self._computing.observe(seconds)


def _try_out(served: Served, examples: Sequence[Any]) -> dict[str, Any]:
    """The answer to the first example: what cannot answer is not served, and the first request is no slower."""
    try:
        return served.answer([served.parse(each) for each in examples[:8]])[0]
    except TutorError as error:
        raise ModelError(f"this model cannot be served: {error}") from error


def _characters(given: Any) -> int:
    return len(given if isinstance(given, str) else given.text)


def _in_utf8(request: Any) -> str:
    """The query's text.

    Raises:
        HTTPException: 422, its bytes are no UTF-8, which the framework would replace in silence.
    """
    from starlette.exceptions import HTTPException

    try:
        query = dict(parse_qsl(request.scope["query_string"].decode("ascii"), keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError:
        raise HTTPException(422, "the text in the address is not UTF-8 (percent-encode its UTF-8 bytes)") from None
    return query["text"]


def _reason(errors: Sequence[dict[str, Any]], one: str, several: str) -> str:
    """What is wrong with a body, without quoting it."""
    told = []
    for error in errors[:3]:
        place = ".".join(str(part) for part in error["loc"][1:] if isinstance(part, int) or str(part).isidentifier())
        if error["type"] == "extra_forbidden":
            place, message = "", f"an unknown field; send {one} or {several}"
        elif error["type"] == "json_invalid":
            place, message = "", "the body is not JSON"
        elif error["loc"] == ("body",) and error["type"] in ("model_attributes_type", "model_type", "dict_type"):
            message = f'send a JSON object such as {{"{one}": ...}} with the header Content-Type: application/json'
        elif error["type"] == "string_unicode":
            message = "not valid Unicode (half of a surrogate pair)"
        else:
            message = error["msg"].removeprefix("Value error, ")
            if option := _LIMITS.get(error["type"]):
                message += f" (whoever starts the service sets {option})"
        told.append(f"{place}: {message}" if place else message)
    return "; ".join(dict.fromkeys(told))


def _static(content: str, kind: str) -> Any:
    from fastapi.responses import Response

    async def page() -> Any:
        return Response(content, media_type=kind)

    return page
