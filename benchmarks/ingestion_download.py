"""Images per second from a server with latency, rovervision against plain `requests.get`: rows for docs/benchmarks.md.

    python -m benchmarks.ingestion_download
    python -m benchmarks.ingestion_download --images 200

The server is a process of its own on this machine. It is silent for 50 ms before each answer, sends JPEG files of
about a megapixel and 200 kB, and refuses a ninth request at a time. So 8 / 0.05 s = 160 images/s is the most that
anybody gets. rovervision verifies every image (its length, every bit of it, its dimensions), computes its SHA-256,
writes it under a temporary name, notes it in the ledger and renames it; the others only write what comes.
"""

import argparse
import asyncio
import io
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
import requests
from PIL import Image

from rovervision.datasets.image_folder import ImageFolderDataset
from rovervision.sources.fetch_plan import FetchPlan, FetchTerms, FrameFetch, origin_of, stored_name
from rovervision.sources.frame import Frame, Query
from rovervision.sources.http.addresses import allowed_hosts
from rovervision.sources.http.client import HttpTransport
from rovervision.sources.http.config import ArchiveAddresses, HttpConfig
from rovervision.sources.http.verification import fetch_image

LATENCY_S: Final = 0.05
CONNECTIONS: Final = 8
THREADS: Final = CONNECTIONS * 3 // 2  # while eight wait for the network, four verify and write
IDEAL_PER_S: Final = CONNECTIONS / LATENCY_S
WIDTH_PX, HEIGHT_PX = 1280, 800
FILE_BYTES: Final = 200_000
TARGET_FRAC: Final = 0.85
_FILES: Final = 4


def jpeg(seed: int) -> bytes:
    """Return a gray slope with as much noise as makes a JPEG of about 200 kB."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(70, 180, WIDTH_PX, dtype=np.float32)[None, :, None]
    noise = rng.normal(0, 1, (HEIGHT_PX, WIDTH_PX, 3)).astype(np.float32)
    low, high, body = 0.0, 60.0, b""
    for _ in range(12):
        amplitude = (low + high) / 2
        file = io.BytesIO()
        Image.fromarray(np.clip(slope + amplitude * noise, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=80)
        body = file.getvalue()
        low, high = (amplitude, high) if len(body) < FILE_BYTES else (low, amplitude)
    return body


class Server:
    """Answers every path with one of a few images, after a silence; a ninth request at a time gets 503."""

    def __init__(self) -> None:
        self._inside = 0
        self._answers = [self._answer(b"200 OK", jpeg(seed)) for seed in range(_FILES)]
        self._busy = self._answer(b"503 Service Unavailable", b"busy")

    async def serve(self) -> None:
        """Print the port, then answer until the process ends."""
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, limit=1 << 16)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1]
                self._inside += 1
                is_allowed = self._inside <= CONNECTIONS
                await asyncio.sleep(LATENCY_S)
                self._inside -= 1
                writer.write(self._answers[sum(path) % _FILES] if is_allowed else self._busy)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @staticmethod
    def _answer(status: bytes, body: bytes) -> bytes:
        return b"HTTP/1.1 %b\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body


@contextmanager
def served() -> Iterator[str]:
    """Run the server in a process of its own; yield its address."""
    command = [sys.executable, "-m", "benchmarks.ingestion_download", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


class _Archive:
    """A source of nothing but images."""

    def __init__(self, address: str) -> None:
        self._http = HttpConfig(connections_per_host=CONNECTIONS)
        hosts = allowed_hosts(self._http, ArchiveAddresses(rss_api=address))
        self._transport = HttpTransport(self._http, hosts)

    def search(self, query: Query) -> Iterator[Frame]:
        """Yield nothing: the frames are made up."""
        yield from ()

    def fetch(self, frame: Frame) -> bytes:
        """Return the image, verified as every source of rovervision does it."""
        return fetch_image(self._transport, frame, self._http)


def with_rovervision(address: str, n_images: int, folder: Path, threads: int = THREADS) -> None:
    """Fetch a plan into an ImageFolderDataset, as the pipeline `ingestion` does."""
    archive = _Archive(address)
    promises: dict[str, Callable[[], bytes]] = {}
    for number in range(n_images):
        frame = Frame(
            frame_id=f"image_{number:06d}", file_name=f"image_{number:06d}.jpg", source="benchmark",
            url=f"{address}/{number:06d}.jpg", width_px=WIDTH_PX, height_px=HEIGHT_PX,
        )  # fmt: skip
        promises[stored_name(frame)] = FrameFetch(archive, frame, origin_of(frame, ""))
    terms = FetchTerms(attempts=1, max_failed_frac=0.0, threads=threads)
    ImageFolderDataset(filepath=str(folder)).save(FetchPlan(promises, terms=terms))


def with_a_loop(address: str, n_images: int, folder: Path) -> None:
    """Ask for one after the other, as scripts do."""
    for number in range(n_images):
        _get(address, number, folder)


def with_a_pool(address: str, n_images: int, folder: Path) -> None:
    """Ask in eight threads and check nothing."""
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for _ in pool.map(lambda number: _get(address, number, folder), range(n_images)):
            pass


def _get(address: str, number: int, folder: Path) -> None:
    answer = requests.get(f"{address}/{number:06d}.jpg", timeout=30)
    (folder / f"{number:06d}.jpg").write_bytes(answer.content)


def measured(work: Callable[[str, int, Path], None], address: str, n_images: int) -> tuple[float, float]:
    """Return images per second, and seconds of CPU of this process for a thousand images."""
    with tempfile.TemporaryDirectory() as folder:
        before, started_s = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
        work(address, n_images, Path(folder))
        elapsed_s, after = time.monotonic() - started_s, resource.getrusage(resource.RUSAGE_SELF)
        stored = [path.stat().st_size for path in Path(folder).glob("*.jpg")]
    if len(stored) != n_images or min(stored) < FILE_BYTES * 0.9:
        raise SystemExit(f"{len(stored)} of {n_images} images came, the smallest with {min(stored, default=0)} bytes")
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return n_images / elapsed_s, 1000 * cpu_s / n_images


def main() -> int:
    """Measure all three and print the table; 1 where rovervision stays below its target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1_000)
    parser.add_argument("--threads", type=int, default=THREADS, help="of rovervision; its connections stay 8")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(Server().serve())
        return 0
    ours = partial(with_rovervision, threads=options.threads)
    methods: list[tuple[str, Callable[[str, int, Path], None], int]] = [
        (f"rovervision: verified, hashed, ledger, {options.threads} threads", ours, options.images),
        ("`requests.get` in a loop", with_a_loop, max(1, options.images // 5)),
        ("`requests.get` in 8 threads, nothing checked", with_a_pool, options.images),
    ]
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    packages = ", ".join(f"{name} {version(name)}" for name in ("requests", "urllib3", "pillow"))
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine}, {packages}; {LATENCY_S * 1000:.0f} ms latency, ", end="")
    print(f"{FILE_BYTES // 1000} kB images, {CONNECTIONS} connections\n")
    columns = ["method", "images", "images/s", f"share of the ideal {IDEAL_PER_S:.0f}/s", "CPU s per 1,000 images"]
    print(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")
    shares = []
    with served() as address:
        for name, work, n_images in methods:
            rate_per_s, cpu_s = measured(work, address, n_images)
            shares.append(rate_per_s / IDEAL_PER_S)
            print(f"| {name} | {n_images} | {rate_per_s:.1f} | {shares[-1]:.2f} | {cpu_s:.1f} |", flush=True)
    return int(shares[0] < TARGET_FRAC)


if __name__ == "__main__":
    sys.exit(main())
