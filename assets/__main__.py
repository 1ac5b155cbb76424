"""Fetch everything ahead of time: `python -m assets` (`--training` for the training data too)."""

from __future__ import annotations

import argparse
import sys

from assets import ASSETS, AssetError, fetch
from assets.quantize import language_model


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m assets", description=__doc__)
    parser.add_argument(
        "--training", action="store_true", help="also what the training scripts read"
    )
    wanted = parser.parse_args()
    try:
        for asset in ASSETS:
            if wanted.training or not asset.training:
                print(f"{asset.name:14} {fetch(asset)}")
        print(f"{'smollm2 Q4_0':14} {language_model(adapter=None)}")
        print(f"{'tutor Q4_0':14} {language_model()}")
    except AssetError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
