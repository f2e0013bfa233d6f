"""Fetch a published scorer once, check it, convert it, and keep it for offline use."""

from __future__ import annotations

import hashlib
import http.client
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from scorers.card import ModelCard
from scorers.errors import DownloadError, WeightsError, unknown_name
from scorers.scorer import Scorer
from scorers.zoo import PUBLISHED, Published, cache_folder, load_file

_CHUNK = 1 << 16
_ABANDONED = 3600.0  # seconds without a change to the folder of a download
_LIMIT = 1 << 30  # bytes; no published scorer is near it

Progress = Callable[[int, int | None], None]
"""Told the bytes received and expected (None when the server does not say)."""


def fetch(
    published: str | Published,
    *,
    timeout: float = 30.0,
    progress: Progress | None = None,
) -> Path:
    """Download a published scorer into the user's cache, as safetensors; then it loads offline.

    The file is received under a temporary name, its sha256 compared with the card's, and only
    what was converted from it is given its final name: a fetch that is interrupted at any point
    leaves nothing that could be loaded. One that is already in the cache is not fetched again.

    Args:
        published: a name in `scorers.zoo.PUBLISHED`, or an entry of one's own.
        timeout: seconds without a byte before giving up.
        progress: see `Progress`.

    Returns:
        The file in the cache.

    Raises:
        UnknownNameError: nothing is published under that name here.
        DownloadError: the server cannot be reached, answers with an error, stops early, or
            sends a file with another sha256.
        WeightsError: the cache cannot be written.
    """
    if isinstance(published, str):
        if published not in PUBLISHED:
            raise unknown_name("published scorer", published, PUBLISHED)
        published = PUBLISHED[published]
    name, cache = published.card.name, cache_folder()
    target = cache / f"{name}.safetensors"
    if target.is_file():
        return target
    try:
        cache.mkdir(parents=True, exist_ok=True)
        _sweep(cache, name)
        folder = tempfile.TemporaryDirectory(dir=cache, prefix=f".{name}.")
    except OSError as error:
        raise WeightsError(f"cannot write {cache}: {error.strerror or error}") from error
    with folder as unfinished:
        part = Path(unfinished) / f"{name}{Path(published.url).suffix}"
        download(published.url, part, published.card, timeout, progress)
        Scorer(load_file(part).network, published.card).save(target)
    return target


def _sweep(cache: Path, name: str) -> None:
    """Remove what downloads that were killed left, but not one that may still be running."""
    for unfinished in cache.glob(f".{name}.*"):
        if time.time() - unfinished.stat().st_mtime > _ABANDONED:
            shutil.rmtree(unfinished, ignore_errors=True)


def download(
    url: str, target: Path, card: ModelCard, timeout: float, progress: Progress | None = None
) -> None:
    """Stream `url` into `target` and check it against the card's ``source_sha256``."""
    digest = hashlib.sha256()
    received = 0
    request = urllib.request.Request(url, headers={"User-Agent": "enhance-tune"})
    try:
        with (
            urllib.request.urlopen(request, timeout=timeout) as response,
            open(target, "wb") as out,
        ):
            length = response.headers.get("Content-Length")
            expected = int(length) if length else None
            while chunk := response.read(_CHUNK):
                received += len(chunk)
                if received > _LIMIT:
                    raise DownloadError(f"cannot fetch {url}: larger than {_LIMIT} bytes")
                digest.update(chunk)
                out.write(chunk)
                if progress:
                    progress(received, expected)
    except urllib.error.HTTPError as error:
        with error:  # it holds the connection
            raise DownloadError(f"cannot fetch {url}: {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise DownloadError(f"cannot fetch {url}: {error.reason}") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise DownloadError(f"cannot fetch {url}: {error or type(error).__name__}") from error
    # urllib takes a closed connection for the end of the file
    if expected is not None and received < expected:
        raise DownloadError(f"cannot fetch {url}: {received} of {expected} bytes arrived")
    if digest.hexdigest() != card.source_sha256:
        raise DownloadError(
            f"cannot fetch {url}: sha256 must be {card.source_sha256}, got {digest.hexdigest()}"
        )
