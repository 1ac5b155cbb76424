"""One demo alone on a page, `/demo/SLUG`, to link to or to embed anywhere in an iframe.

    <iframe src="https://HOST/demo/sentiment?review=great+film" width="720" height="480"></iframe>

The page is plain HTML with the same `static/widgets.js` as the chat, and needs no Gradio: a run is
a POST that is answered by an event stream. Inputs are prefilled from the query string; `theme=dark`
or `theme=light` fixes the colours, which otherwise follow the reader's system.
"""

from __future__ import annotations

import html
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from demos.base import Demo, DemoError, Input, Slider, Toggle
from interface.bridge import static
from interface.runs import Gate, Resources, Run, replies

MAX_BODY = 64_000  # bytes of inputs that are read
SIDES = {"predict": "◎ Predict", "create": "✦ Create", "both": "◐ Both"}
TITLE = "Predict or Create?"


def mount(
    app: FastAPI, demos: Mapping[str, Demo], resources: Resources, *, gate: Gate | None = None
) -> None:
    """Add `/demo`, `/demo/{slug}` and `/demo/{slug}/run` to `app`, before its other routes.

    gate: give the bridge's, so that the demos that run at once are counted together.
    """
    gate, router = gate or Gate(), APIRouter(include_in_schema=False)

    @router.get("/demo")
    def index() -> Response:
        heading = f"<h1>{TITLE}</h1><p>Every demo, alone on its page.</p>"
        return _page(TITLE, heading + _list(demos, "demo/"))

    @router.get("/demo/{slug}")
    def alone(slug: str, request: Request) -> Response:
        if slug not in demos:
            return _missing(demos, slug)
        return _alone(demos[slug], request.query_params)

    @router.post("/demo/{slug}/run")
    async def run(slug: str, request: Request) -> Response:
        if slug not in demos:
            return JSONResponse({"error": f"There is no demo {slug[:40]!r}."}, 404)
        events = _events(demos[slug], resources, gate, await _call(request))
        return StreamingResponse(events, media_type="text/event-stream", headers=_headers())

    others = list(app.router.routes)
    app.include_router(router)
    app.router.routes[:] = [one for one in app.router.routes if one not in others] + others


def prefilled(demo: Demo, query: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """The inputs a query string names, and a sentence for each that is wrong and was left out."""
    inputs, wrong = {}, []
    for one in demo.inputs:
        if one.name not in query:
            continue
        try:
            inputs[one.name] = one.check(_read(one, query[one.name]))
        except DemoError as error:
            wrong.append(f"The link was not quite right: {error}")
    return inputs, wrong


def _read(one: Input, given: str) -> Any:
    """A string of the query as the type that `one` checks; what cannot be read stays a string."""
    if isinstance(one, Toggle):
        return {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}.get(
            given.lower(), given
        )
    if isinstance(one, Slider):
        try:
            return float(given)
        except ValueError:
            return given
    return given


def _alone(demo: Demo, query: Mapping[str, str]) -> Response:
    inputs, wrong = prefilled(demo, query)
    config = {
        "demo": demo.describe(),
        "inputs": inputs,
        "wid": demo.slug,
        "alone": True,
        "said": " ".join(wrong),
        "url": f"{demo.slug}/run",
    }
    content = (
        '<div id="demo"></div><noscript><p>This demo needs JavaScript.</p></noscript>'
        f'<footer>A demo of <a href="../" target="_blank" rel="noopener">{TITLE}</a></footer>'
        f'<script type="application/json" id="config">{_script_json(config)}</script>'
    )
    return _page(f"{demo.title} · {TITLE}", content)


def _list(demos: Mapping[str, Demo], base: str) -> str:
    """All demos by side, as links that start with `base`."""
    parts = []
    for side, name in SIDES.items():
        if entries := "".join(_entry(one, base) for one in demos.values() if one.side == side):
            parts.append(f'<h2 class="h-{side}">{name}</h2><ul>{entries}</ul>')
    return "".join(parts)


def _entry(demo: Demo, base: str) -> str:
    title, summary = html.escape(demo.title), html.escape(demo.summary)
    return f'<li><a href="{base}{demo.slug}"><b>{title}</b><small>{summary}</small></a></li>'


def _missing(demos: Mapping[str, Demo], slug: str) -> Response:
    heading = "<h1>No demo by that name</h1>"
    sentence = f"<p>There is none called “{html.escape(slug[:40])}”. There are:</p>"
    return _page(TITLE, heading + sentence + _list(demos, ""), 404)


def _page(title: str, content: str, status: int = 200) -> Response:
    """A whole page. Only scripts that carry this response's nonce may run on it."""
    nonce = secrets.token_urlsafe(16)
    styles = static("tokens.css") + static("widgets.css") + static("demo_page.css")
    scripts = static("widgets.js") + static("demo_page.js")
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{html.escape(title)}</title><style nonce="{nonce}">{styles}</style></head>'
        f'<body><main>{content}</main><script nonce="{nonce}">{scripts}</script></body></html>'
    )
    return HTMLResponse(text, status, headers=_headers(nonce))


def _headers(nonce: str = "") -> dict[str, str]:
    """Any page may frame a demo; a demo may load nothing from anywhere else."""
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
        "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


def _script_json(value: Any) -> str:
    """JSON that is safe inside a script element."""
    plain = json.dumps(value, ensure_ascii=False)
    return plain.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


async def _call(request: Request) -> dict[str, Any]:
    """The JSON object that was posted; an empty one when it is too long or is none."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            return {}
    try:
        call = json.loads(body)
    except ValueError:
        return {}
    return call if isinstance(call, dict) else {}


async def _events(
    demo: Demo, resources: Resources, gate: Gate, call: Mapping[str, Any]
) -> AsyncIterator[str]:
    """The replies to one call as server-sent events. Nothing in `call` is trusted."""
    rid, visitor = str(call.get("rid"))[:80], f"page:{str(call.get('visitor'))[:40]}"
    run = Run(demo, call.get("inputs"), resources, gate, visitor)
    async for reply in replies(run, rid):
        yield f"data: {json.dumps(reply)}\n\n"
