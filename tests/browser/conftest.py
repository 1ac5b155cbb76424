"""A real browser for the tests in this folder. Needs playwright and a Chromium.

`page` is a fresh tab; when its test ends, it checks that no request left this machine and that no
script failed. `serve` runs an ASGI app on a free port. Without a Chromium the tests are skipped, or
fail where REQUIRE_BROWSER=1.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before gradio is imported

import pytest
import uvicorn

FLAGS = """--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync
           --disable-background-networking --disable-component-update""".split()
HOSTS = ("http://127.0.0.1", "http://localhost", "data:", "blob:", "about:")


def _chromium() -> str | None:
    """Where the browser is: what CHROMIUM names, else the first one on the path."""
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless browser. While it lives, playwright's loop keeps asyncio.run from working here."""
    where = _chromium()
    if where is None:
        reason = "no Chromium found; install one or name it in the variable CHROMIUM"
        (pytest.fail if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip)(reason)
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=where, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """A function that opens a tab of its own, such as `open_page(color_scheme="dark")`."""
    contexts, outside, failures = [], [], []

    def watch(page: Any) -> None:
        page.on("request", lambda one: one.url.startswith(HOSTS) or outside.append(one.url))
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("dialog", lambda dialog: (failures.append(dialog.message), dialog.dismiss()))

    def open_one(**options: Any) -> Any:
        options = {"viewport": {"width": 1280, "height": 900}, **options}
        contexts.append(browser.new_context(**options))
        contexts[-1].on("page", watch)
        page = contexts[-1].new_page()
        page.set_default_timeout(15_000)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not outside, f"requests that left this machine: {outside}"
    assert not failures, f"scripts that failed, or dialogs: {failures}"


@pytest.fixture
def page(open_page: Callable[..., Any]) -> Any:
    """A fresh tab."""
    return open_page()


@contextmanager
def _serving(app: Any) -> Iterator[str]:
    """Run `app` in a thread while the block lasts; gives its address."""
    options = {"log_level": "warning", "timeout_graceful_shutdown": 1}
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, **options))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="session")
def serve() -> Callable[[Any], Any]:
    """`with serve(app) as address:` runs an ASGI app."""
    return _serving
