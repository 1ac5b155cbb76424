"""Every demo, found by looking: a file in this folder with a `DEMO` is one."""

from __future__ import annotations

import importlib
import pkgutil

from demos.base import Demo, DemoError


def load() -> dict[str, Demo]:
    """All demos by slug. Raises ValueError naming both files when two share a slug."""
    found: dict[str, Demo] = {}
    files: dict[str, str] = {}
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda one: one.name):
        demo = getattr(importlib.import_module(f"{__name__}.{info.name}"), "DEMO", None)
        if demo is None:
            continue
        if demo.slug in found:
            raise ValueError(
                f"demos/{files[demo.slug]}.py and demos/{info.name}.py both have the slug "
                f"{demo.slug!r}. Give one of them another slug."
            )
        found[demo.slug], files[demo.slug] = demo, info.name
    return found


def get(demos: dict[str, Demo], slug: object) -> Demo:
    """The demo called `slug`. Raises DemoError with the slugs there are."""
    if isinstance(slug, str) and slug in demos:
        return demos[slug]
    raise DemoError(f"There is no demo {str(slug)[:40]!r}. There is: {', '.join(demos)}.")
