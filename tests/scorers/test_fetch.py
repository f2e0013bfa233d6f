"""Fetching from a local server: whole and unchanged, or not at all."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

import scorers
from scorers import zoo
from scorers.errors import DownloadError, UnknownNameError, WeightsError
from scorers.fetch import fetch
from scorers.scorer import Scorer
from scorers.weights_file import sha256_of
from scorers.zoo import PUBLISHED, Published, cache_folder

Publish = Callable[..., Published]


class Handler(BaseHTTPRequestHandler):
    """Serves one body in the way its path names; `server.hits` counts requests."""

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        server.hits += 1
        how = self.path.split("/")[1]
        if how == "missing":
            self.send_error(404)
            return
        self.send_response(200)
        if how != "unsized":
            self.send_header("Content-Length", str(len(server.body)))
        self.end_headers()
        half = len(server.body) // 2
        self.wfile.write(server.body[:half])
        self.wfile.flush()
        if how == "stalled":
            server.release.wait(30)
        if how in ("whole", "unsized"):
            self.wfile.write(server.body[half:])

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    body = b""
    hits = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.release = threading.Event()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.release.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def publish(server: Server, scorer: Scorer, tmp_path: Path) -> Publish:
    """Put the tiny scorer on the server, to be served in the way that is named."""

    def entry(how: str) -> Published:
        origin = tmp_path / "origin.safetensors"
        scorer.save(origin)
        server.body = origin.read_bytes()
        card = replace(scorer.card, name="published", source_sha256=sha256_of(origin))
        return Published(card, f"http://127.0.0.1:{server.server_port}/{how}/origin.safetensors")

    return entry


def leftovers() -> list[str]:
    return sorted(path.name for path in cache_folder().iterdir()) if cache_folder().exists() else []


@pytest.mark.parametrize("how", ["whole", "unsized"])
def test_a_fetched_scorer_works_offline(
    how: str, server: Server, publish: Publish, scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = publish(how)
    told: list[tuple[int, int | None]] = []
    path = fetch(published, progress=lambda *seen: told.append(seen))
    assert leftovers() == ["published.safetensors"]
    size = len(server.body)
    assert told[-1] == (size, size if how == "whole" else None)
    monkeypatch.setitem(PUBLISHED, "published", published)
    monkeypatch.setattr(socket, "socket", None)  # no network from here on
    assert scorers.list_scorers().count("published") == 1
    found = scorers.load("published")
    image = torch.rand(1, 3, 40, 40)
    assert torch.equal(found(image), scorer(image))
    assert found.card == replace(published.card, sha256=sha256_of(path))
    assert fetch(published) == path
    assert server.hits == 1


def test_a_published_tflite_file_is_converted(
    server: Server, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = shared / "weights/idealo_mobilenet_technical.int8.tflite"
    server.body = source.read_bytes()
    url = f"http://127.0.0.1:{server.server_port}/whole/technical_model.tflite"
    entry = PUBLISHED["idealo-technical"]
    monkeypatch.setitem(PUBLISHED, "idealo-technical", Published(entry.card, url))
    fetch("idealo-technical")
    image = torch.rand(1, 3, 50, 60)
    found = scorers.load("idealo-technical")
    assert torch.equal(found(image), scorers.load(source)(image))
    assert replace(found.card, sha256="") == entry.card


def test_another_file_under_that_address_is_refused(server: Server, publish: Publish) -> None:
    published = publish("whole")
    server.body = server.body[:-1] + bytes([server.body[-1] ^ 1])
    with pytest.raises(DownloadError, match=r"sha256 must be [0-9a-f]{64}, got [0-9a-f]{64}"):
        fetch(published)
    assert leftovers() == []


def test_a_truncated_body_is_refused(server: Server, publish: Publish) -> None:
    published = publish("cut")
    whole = len(server.body)
    with pytest.raises(DownloadError, match=f"{whole // 2} of {whole} bytes arrived"):
        fetch(published)
    assert leftovers() == []


def test_a_truncated_body_of_unknown_length_is_refused(server: Server, publish: Publish) -> None:
    published = publish("unsized")
    server.body = server.body[:-100]
    with pytest.raises(DownloadError, match="sha256"):
        fetch(published)
    assert leftovers() == []


def test_a_missing_file_is_refused(publish: Publish) -> None:
    with pytest.raises(DownloadError, match=r"/missing/origin\.safetensors: 404 Not Found"):
        fetch(publish("missing"))
    assert leftovers() == []


def test_a_server_that_stalls_is_given_up_on(publish: Publish) -> None:
    with pytest.raises(DownloadError, match="timed out"):
        fetch(publish("stalled"), timeout=0.2)
    assert leftovers() == []


def test_a_server_that_is_not_there_is_named(publish: Publish) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    published = replace(publish("whole"), url=f"http://127.0.0.1:{port}/origin.safetensors")
    with pytest.raises(DownloadError, match="refused"):
        fetch(published)
    assert leftovers() == []


def test_a_killed_download_leaves_nothing_to_load(
    server: Server, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = publish("stalled")
    program = (
        "import sys\n"
        "from scorers.card import ModelCard\n"
        "from scorers.fetch import fetch\n"
        "from scorers.zoo import Published\n"
        "fetch(Published(ModelCard.from_json(sys.argv[1]), sys.argv[2]))\n"
    )
    arguments = [sys.executable, "-c", program, published.card.to_json(), published.url]
    with subprocess.Popen(arguments, env=os.environ.copy()) as process:
        deadline = time.monotonic() + 60
        while not any(p.stat().st_size for p in cache_folder().glob(".*/*")):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    monkeypatch.setitem(PUBLISHED, "published", published)
    assert "published" not in scorers.list_scorers()
    with pytest.raises(WeightsError, match="run: scorers fetch published"):
        scorers.load("published")
    # and it does not stand in the way of another try
    server.release.set()
    fetch(replace(published, url=published.url.replace("stalled", "whole")))
    assert scorers.load("published").card.name == "published"


def test_what_a_killed_download_left_is_removed_later(publish: Publish) -> None:
    for name, age in ((".published.old", 7200), (".published.new", 0)):
        (cache_folder() / name).mkdir(parents=True)
        (cache_folder() / name / "origin.part").write_bytes(b"half")
        os.utime(cache_folder() / name, (time.time() - age,) * 2)
    fetch(publish("whole"))
    assert leftovers() == [".published.new", "published.safetensors"]


def test_an_interrupted_conversion_leaves_nothing_to_load(
    publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = publish("whole")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("safetensors.torch.save_file", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch(published)
    assert leftovers() == []


def test_a_cache_that_cannot_be_made_is_named(
    publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SCORERS_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(WeightsError, match=r"cannot write .*file/cache: Not a directory"):
        fetch(publish("whole"))


def test_only_published_names_can_be_fetched() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'idealo-technical'"):
        fetch("idealo-technica")


def test_published_entries_are_complete() -> None:
    assert set(PUBLISHED) == {entry.card.name for entry in PUBLISHED.values()}
    for entry in PUBLISHED.values():
        assert entry.url.startswith("https://")
        assert len(entry.card.source_sha256) == 64
        for field in ("licence", "origin", "training_data", "summary", "measured", "limits"):
            assert getattr(entry.card, field), field


def test_the_cache_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SCORERS_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert zoo.cache_folder() == tmp_path / "own"
    monkeypatch.delenv("SCORERS_CACHE")
    assert zoo.cache_folder() == tmp_path / "xdg" / "scorers"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert zoo.cache_folder() == tmp_path / ".cache" / "scorers"
