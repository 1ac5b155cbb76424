"""Predict or Create? A chat that explains machine learning and generative AI. Run: python app.py

The page is at http://127.0.0.1:7860, single demos at /demo/SLUG, and /healthz says whether the
tutor is ready. GRADIO_SERVER_NAME and GRADIO_SERVER_PORT change the address.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import threading
from collections.abc import AsyncIterator, Callable, Mapping

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before gradio is imported

import fastapi
import gradio as gr
import uvicorn

import demos as all_demos
from demos.base import Demo
from explainers.language_model import Lazy, chosen, open_published_model
from explainers.topics import Topic, load_topics
from interface import api, chat, demo_page
from interface.runs import Gate

HEAD_START = 0.5  # seconds in which the first page is served before models take the processor


def create_app(
    tutor_loader: Callable[[], api.Tutor],
    demos: Mapping[str, Demo],
    topics: Mapping[str, Topic],
) -> fastapi.FastAPI:
    """The whole site. `tutor_loader` runs in the background once the server is up."""
    host = api.Host(tutor_loader)
    demos_model = Lazy(lambda: host.tutor().language_model if chosen() else open_published_model())
    resources = {"language_model": lambda: demos_model}

    @contextlib.asynccontextmanager
    async def lifespan(_: fastapi.FastAPI) -> AsyncIterator[None]:
        threading.Timer(HEAD_START, host.wake).start()
        yield

    app = fastapi.FastAPI(title="Predict or Create?", lifespan=lifespan, openapi_url=None)
    app.get("/healthz")(lambda: host.status)
    gate = Gate()
    demo_page.mount(app, demos, resources, gate=gate)
    return gr.mount_gradio_app(
        app,
        chat.build(host, demos, topics, resources, gate),
        path="/",
        theme=chat.theme(),
        head=chat.head(),
        footer_links=["api", "settings"],
        show_error=False,
        max_file_size="1mb",
        ssr_mode=False,
        enable_monitoring=False,
        run_history=False,
        mcp_server=importlib.util.find_spec("mcp") is not None,  # tools for agents, if wanted
    )


def open_real_tutor(demos: Mapping[str, Demo]) -> api.Tutor:
    """The real tutor, which knows the demos by the phrases that ask for them; heavy."""
    from explainers.tutor import DemoPhrases, open_tutor

    known = [
        DemoPhrases(one.slug, one.title, one.topic, one.phrases, one.inputs[0].name, one.cues)
        for one in demos.values()
    ]
    return open_tutor(known)


def main() -> None:
    """Serve: on this machine only, or to everyone on a Hugging Face Space."""
    everyone = "0.0.0.0" if os.environ.get("SPACE_ID") else "127.0.0.1"
    name = os.environ.get("GRADIO_SERVER_NAME", everyone)
    port = int(os.environ.get("GRADIO_SERVER_PORT", "7860"))
    demos = all_demos.load()
    site = create_app(lambda: open_real_tutor(demos), demos, load_topics())
    print(f"Predict or Create? is at http://{name}:{port}", flush=True)
    uvicorn.run(site, host=name, port=port, log_level="warning")


if __name__ == "__main__":
    main()
