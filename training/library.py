"""Embed every text of the topics ahead of time, so that the tutor starts at once.

    python -m training.library

writes weights/library/embeddings.safetensors (float16, by the hash of each text). Run it after
topics have changed; until then changed texts are embedded at the first start and cached.
"""

from __future__ import annotations

import assets
from explainers.library import SHIPPED, Library, load_kept, open_encoder, save_kept
from explainers.topics import load_topics


def main() -> None:
    library = Library(load_topics(), open_encoder(assets.path("minilm")), load_kept(SHIPPED))
    save_kept(SHIPPED, library.texts, library.vectors)
    print(f"{len(library.texts)} texts, {SHIPPED.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
