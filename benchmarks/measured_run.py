"""Wall time, peak memory and scores of one `kedro run`, as rows for docs/benchmarks.md.

    python benchmarks/measured_run.py                                # the sample
    python benchmarks/measured_run.py --env msl --params ingestion.archive=msl-images.zip

All arguments go to `kedro run`. Memory is the resident set of the process and all its children, sampled ten times a
second, so a shorter peak can be missed. Run it on an otherwise idle machine.
"""

import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import psutil

COLUMNS = [
    "method", "frames", "ciede2000_mean", "ciede2000_low", "ciede2000_high", "ratio_to_table", "ciede2000_median",
    "ciede2000_p90", "ciede2000_low_chroma", "chroma_ratio", "tint_error", "structure_error", "gap_closed",
]  # fmt: skip


def measure(command: list[str]) -> tuple[int, float, float]:
    """Run the command and return its exit code, seconds, and peak resident MiB of its process tree."""
    started_s, peak_bytes = time.monotonic(), 0
    process = psutil.Popen(command)
    while process.poll() is None:
        peak_bytes = max(peak_bytes, resident_bytes(process))
        time.sleep(0.1)
    return process.returncode, time.monotonic() - started_s, peak_bytes / 2**20


def resident_bytes(process: psutil.Process) -> int:
    """Return the resident bytes of a process and its children that still live."""
    total = 0
    try:
        for each in [process, *process.children(recursive=True)]:
            total += each.memory_info().rss
    except psutil.Error:  # it ended between two looks
        pass
    return total


def main(arguments: list[str]) -> int:
    """Measure, then print the machine, the figures and the score table."""
    command = ["kedro", "run", *arguments]
    code, elapsed_s, peak_mib = measure(command)
    environment = arguments[arguments.index("--env") + 1] if "--env" in arguments else None
    reporting = Path("data", *([environment] if environment else []), "08_reporting")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    machine = f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB"
    print(f"\n{datetime.now(UTC):%Y-%m-%d}, commit {commit.strip()}, {machine}, Python {platform.python_version()}")
    print(f"`{' '.join(command)}`: {elapsed_s:.0f} s, peak {peak_mib:.0f} MiB resident, exit code {code}\n")
    table = reporting / "colorization_score_table.csv"
    if code == 0 and table.is_file():
        rows = pd.read_csv(table)[COLUMNS].round(3)
        lines = [COLUMNS, ["---"] * len(COLUMNS), *rows.astype(str).to_numpy().tolist()]
        print("\n".join("| " + " | ".join(line) + " |" for line in lines))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
