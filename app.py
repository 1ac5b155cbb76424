"""Predict or Create? A chat that explains machine learning and generative AI. Run: python app.py

The page is at http://127.0.0.1:7860, single demos at /demo/SLUG, and /healthz says whether the
tutor is ready. GRADIO_SERVER_NAME and GRADIO_SERVER_PORT change the address.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before gradio is imported

import fastapi
import gradio as gr
import uvicorn

import demos as all_demos
from demos.base import Demo
from interface import api, chat, demo_page


def create_app(
    tutor_loader: Callable[[], api.Tutor],
    demos: Mapping[str, Demo],
    topics: Mapping[str, Any],
) -> fastapi.FastAPI:
    """The whole site. `tutor_loader` runs in the background, from now on."""
    host = api.Host(tutor_loader)
    resources = {"language_model": lambda: host.tutor().language_model}
    app = fastapi.FastAPI(title="Predict or Create?", docs_url=None, redoc_url=None)
    app.get("/healthz")(lambda: host.status)
    demo_page.mount(app, demos, resources)
    host.wake()
    return gr.mount_gradio_app(
        app,
        chat.build(host, demos, topics, resources),
        path="/",
        theme=chat.theme(),
        head=chat.head(),
        footer_links=["api", "settings"],
        show_error=False,
        max_file_size="1mb",
        ssr_mode=False,
        enable_monitoring=False,
        run_history=False,
    )


def open_tutor() -> api.Tutor:
    """The real tutor. Imported here, in the background, because its models are heavy."""
    from explainers.tutor import open_tutor

    return open_tutor()


def main() -> None:
    """Serve: on this machine only, or to everyone on a Hugging Face Space."""
    from explainers import library

    everyone = "0.0.0.0" if os.environ.get("SPACE_ID") else "127.0.0.1"
    name = os.environ.get("GRADIO_SERVER_NAME", everyone)
    port = int(os.environ.get("GRADIO_SERVER_PORT", "7860"))
    site = create_app(open_tutor, all_demos.load(), library.load())
    print(f"Predict or Create? is at http://{name}:{port}", flush=True)
    uvicorn.run(site, host=name, port=port, log_level="warning", proxy_headers=True)


if __name__ == "__main__":
    main()
