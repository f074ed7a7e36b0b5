"""Runs the archives by hand: `python -m tests.archive_server --port 8400`."""

import argparse
import time

from tests.archive_server.catalog import SOLS, make_catalog
from tests.archive_server.faults import sow_faults
from tests.archive_server.server import archive_server


def _sols(text: str) -> tuple[str, range]:
    mission, _, numbers = text.partition("=")
    first, _, last = numbers.partition(":")
    if mission not in SOLS:
        raise argparse.ArgumentTypeError(f"{mission} is none of {', '.join(SOLS)}")
    return mission, range(int(first), int(last or first) + 1)


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.archive_server", description=__doc__)
    parser.add_argument("--port", type=int, default=8400)
    parser.add_argument("--latency-s", type=float, default=0.0, help="silence before each answer")
    parser.add_argument("--faults-frac", type=float, default=0.0, help="share of the images that misbehave")
    parser.add_argument("--pointings", type=int, default=1, help="how often every camera photographs on each sol")
    parser.add_argument(
        "--sols", type=_sols, action="append", default=[], help="such as msl=1000:1100; may be repeated"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    catalog = make_catalog({**SOLS, **dict(options.sols)}, pointings=options.pointings)
    names = [name for mission in SOLS for name in catalog.names(mission)]
    faults = sow_faults(names, options.faults_frac, options.seed)
    with archive_server(catalog, faults=faults, latency_s=options.latency_s, port=options.port) as server:
        values = server.addresses().model_dump(exclude={"mars_photos_key_variable"})
        print(f"{len(names)} images, {len(faults)} of which misbehave, at {server.base_url}. Ctrl-C stops. Use it with")
        print(
            '--params "' + ",".join(f"ingestion.addresses.{name}={url}" for name, url in values.items()) + '"',
            flush=True,
        )
        try:
            while True:
                time.sleep(3_600)
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
