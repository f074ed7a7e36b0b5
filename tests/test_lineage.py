"""The lineage as people see it: Kedro-Viz on the real pipelines, in a browser without a window."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
import pandas as pd
import pytest

from rovervision.imaging.encoding import encode_png
from tests.shell.conftest import kedro, quiet_environment
from tests.test_conventions import PIPELINE_NAMES, bare, loader, registered
from tests.test_run import project_copy

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

FIGURE, TABLE = "colorization_panels", "colorization_score_table"
SETTLED = {"showFeatureHints": False, "theme": "light"}
"""What Kedro-Viz keeps of a visitor who has seen its tour."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with a figure and two tables, one of them with bytes, as a run leaves them."""
    folder = project_copy(tmp_path_factory.mktemp("project"))
    for name in ("02_intermediate", "08_reporting"):
        (folder / "data" / name).mkdir()
    rows, columns = np.mgrid[0:90, 0:160].astype(np.uint8)
    figure = np.dstack([rows, columns, rows])
    (folder / "data/08_reporting/colorization_panels.png").write_bytes(encode_png(figure))
    pd.DataFrame({"method": ["gray", "residual"], "ciede2000_mean": [14.9, 2.4]}).to_csv(
        folder / "data/08_reporting/colorization_score_table.csv", index=False
    )
    frames = pd.DataFrame({"frame_id": ["a", "b"], "thumbnail": [b"\x97", b"\xff"], "reasons": [["blurred"], []]})
    frames.to_parquet(folder / "data/02_intermediate/frames_judged.parquet")
    return folder


@pytest.fixture(scope="module")
def address(project: Path) -> Iterator[str]:
    """Where `kedro viz run` answers."""
    port = next(number for number in range(20000 + os.getpid() % 20000, 49000) if is_free(number))
    words = ["viz", "run", "--no-browser", "--host", "127.0.0.1", "--port", str(port)]
    variables = quiet_environment(PYTHONPATH=str(project / "src"), OMP_NUM_THREADS="1")
    with (project / "viz.log").open("w") as log:
        running = subprocess.Popen(
            [sys.executable, "-m", "kedro", *words], cwd=project, env=variables, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
        try:
            wait_for(f"http://127.0.0.1:{port}/api/main", running, project / "viz.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            stop_group(running)


def is_free(port: int) -> bool:
    """Kedro-Viz takes no port above 49151, where the system has its own free ones."""
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) != 0


def wait_for(url: str, running: "subprocess.Popen[bytes]", log: Path, timeout_s: float = 180) -> None:
    until_s = time.monotonic() + timeout_s
    while time.monotonic() < until_s:
        assert running.poll() is None, log.read_text()
        try:
            urlopen(url, timeout=60).read()
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
        else:
            return
    raise AssertionError(f"no answer in {timeout_s:.0f} s: {log.read_text()}")


def stop_group(running: "subprocess.Popen[bytes]") -> None:
    """Kedro-Viz serves from a child, which outlives its parent: end both."""
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
    running.wait()


@pytest.fixture(scope="module")
def graph(address: str) -> dict[str, Any]:
    return json.loads(urlopen(f"{address}/api/main").read())


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    driver = shutil.which("chromedriver")
    if not driver or not (shutil.which("chromium") or shutil.which("google-chrome")):
        pytest.skip("there is no Chromium with its driver (chromedriver) on this machine")
    options = webdriver.ChromeOptions()
    for option in ("headless=new", "no-sandbox", "disable-gpu", "disable-background-networking", "disable-sync"):
        options.add_argument(f"--{option}")
    options.add_argument("--window-size=1500,950")
    options.set_capability("goog:loggingPrefs", {"browser": "SEVERE"})
    window = webdriver.Chrome(options=options, service=Service(driver))
    window.set_script_timeout(60)
    yield window
    window.quit()


def opened(browser: Any, address: str, query: str) -> None:
    """Open a page of Kedro-Viz as somebody who has been there before."""
    if not browser.current_url.startswith(address):
        browser.get(address)
        met = soon(browser, "return localStorage.getItem('KedroViz')")
        browser.execute_script("localStorage.setItem('KedroViz', arguments[0])", json.dumps(json.loads(met) | SETTLED))
    browser.get(f"{address}/?{query}")


def soon(browser: Any, script: str, timeout_s: float = 60) -> Any:
    """What a script returns, once that is something."""
    until_s = time.monotonic() + timeout_s
    while time.monotonic() < until_s:
        if found := browser.execute_script(script):
            return found
        time.sleep(0.2)
    raise AssertionError(f"nothing came of: {script}")


def drawn(browser: Any, expected: set[str], timeout_s: float = 60) -> set[str]:
    """The names in the boxes of the graph, once they are the expected ones, or at last: it is drawn in steps."""
    script = "return [...document.querySelectorAll('.pipeline-node')].map(each => each.textContent.trim())"
    until_s = time.monotonic() + timeout_s
    while (names := set(browser.execute_script(script))) != expected and time.monotonic() < until_s:
        time.sleep(0.3)
    return names


def test_the_graph_holds_every_node_and_dataset_with_its_layer(graph: dict[str, Any]) -> None:
    catalog = loader("base")["catalog"]
    layers = {each["name"]: each["layer"] for each in graph["nodes"] if each["type"] == "data"}
    used = {bare(name) for each in registered().values() for name in each.datasets() if not name.startswith("param")}
    assert set(layers) == used
    stated = {bare(name): entry["metadata"]["kedro-viz"]["layer"] for name, entry in catalog.items()}
    assert layers == {name: stated[name] for name in used}
    tasks = {each["name"] for each in graph["nodes"] if each["type"] == "task"}
    assert tasks == {node.name.rpartition(".")[2] for each in registered().values() for node in each.nodes}
    assert {each["id"] for each in graph["pipelines"]} == {"__default__", *PIPELINE_NAMES}
    assert len(graph["layers"]) == len(set(layers.values())), "the bands of the layers are drawn: they form no circle"


def test_five_boxes_are_the_whole_and_each_opens(browser: Any, address: str) -> None:
    opened(browser, address, "pid=__default__&types=nodes&expandAllPipelines=false")
    assert drawn(browser, set(PIPELINE_NAMES)) == set(PIPELINE_NAMES)
    for name in PIPELINE_NAMES:
        opened(browser, address, f"pid={name}&types=nodes&expandAllPipelines=true")
        nodes = {node.name.rpartition(".")[2] for node in registered()[name].nodes}
        assert drawn(browser, nodes) == nodes


def test_a_figure_is_shown_and_opens(browser: Any, address: str, graph: dict[str, Any]) -> None:
    known = {each["name"]: each["id"] for each in graph["nodes"]}
    opened(browser, address, f"pid=colorization&sid={known[FIGURE]}")
    width = "const found = document.querySelector('{}'); return found && found.naturalWidth"
    assert soon(browser, width.format(".pipeline-metadata__plot-image")) == 160
    buttons = "[...document.querySelectorAll('button')]"
    browser.execute_script(f"{buttons}.find(each => each.textContent.includes('Expand preview')).click()")
    assert soon(browser, width.format(".pipeline-metadata__plot-image--expanded")) == 160


@pytest.mark.parametrize(("pipeline", "name", "cells"), [
    ("colorization", TABLE, {"residual", "2.4"}), ("curation", "frames_judged", {"a", "blurred"})
])  # fmt: skip
def test_a_table_is_shown(
    browser: Any, address: str, graph: dict[str, Any], pipeline: str, name: str, cells: set[str]
) -> None:
    known = {each["name"]: each["id"] for each in graph["nodes"]}
    opened(browser, address, f"pid={pipeline}&sid={known[name]}")
    shown = soon(browser, "return [...document.querySelectorAll('.preview-table td')].map(cell => cell.textContent)")
    assert cells <= set(shown)


def test_the_page_reports_no_error_of_its_own(browser: Any, address: str) -> None:
    opened(browser, address, "pid=__default__&types=nodes&expandAllPipelines=false")
    drawn(browser, set(PIPELINE_NAMES))
    loud = [each["message"] for each in browser.get_log("browser") if address in each["message"]]
    assert [message for message in loud if "Failed to load" in message or "Error" in message] == []


def test_the_export_is_whole_without_a_network(project: Path) -> None:
    answer = kedro(project, "viz", "build", "--include-previews", PYTHONPATH=str(project / "src"), timeout_s=200)
    assert "Failed" not in answer.stdout + answer.stderr, answer.stdout + answer.stderr
    exported = json.loads((project / "build/api/main").read_text())
    assert (project / "build/index.html").exists()
    for each in exported["nodes"]:
        if each["type"] in ("data", "task"):
            assert (project / "build/api/nodes" / each["id"]).exists(), each["name"]
