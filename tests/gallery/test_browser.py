"""The page in a real browser: what a person who opens the file would see and do."""

import json
import re
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

from rovervision.gallery.page import asset, policy, source_hash, write_page
from tests.gallery import scenes

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium on this machine, so the page is not opened in a browser"
)

PROBE = """
const found = { violations: [], errors: [] };
document.addEventListener("securitypolicyviolation", (event) => found.violations.push(event.violatedDirective));
addEventListener("error", (event) => found.errors.push(String(event.message)));
addEventListener("load", async () => {
  const images = [...document.images];
  await new Promise((go) => setTimeout(go, 200));
  found.images = images.length;
  found.broken = images.filter((each) => !each.naturalWidth).map((each) => each.alt);
  found.unnamed = images.filter((each) => !each.alt).length;
  found.scheme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  found.width = innerWidth;
  found.sticking_out = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  const may_be_wide = ".scroll, .sr, .source, .frieze";
  found.wide = [...document.querySelectorAll("body *")]
    .filter((each) => !each.closest(may_be_wide) && each.getBoundingClientRect().right > innerWidth + 1)
    .map((each) => `${each.tagName}.${each.className}`);
  const sliders = [...document.querySelectorAll(".stage input[type=range]")];
  found.sliders = sliders.length;
  found.named = sliders.filter((each) => each.getAttribute("aria-label")).length;
  const slider = sliders[0];
  const stage = slider.closest(".stage");
  const over = stage.querySelector(".over");
  const clips = [];
  for (const value of [10, 80]) {
    slider.value = String(value);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    clips.push(getComputedStyle(over).clipPath);
  }
  found.clips = clips;
  found.told = slider.getAttribute("aria-valuetext");
  found.focusable = (slider.focus(), document.activeElement === slider);
  const before = over.src;
  const radios = [...stage.parentElement.querySelectorAll("input[type=radio]")];
  found.pairs = radios.length;
  radios[2].click();
  found.changed = over.src !== before;
  found.over_alt = over.alt;
  const canvas = document.querySelector(".board canvas");
  const drawn = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  found.colors_on_map = new Set(new Uint32Array(drawn.data.buffer)).size;
  const button = document.querySelector("[data-cluster='0']");
  button.click();
  found.pressed = button.getAttribute("aria-pressed");
  document.querySelector("[data-step='1']").click();
  found.walked = document.querySelector(".told").textContent;
  const asked = performance.getEntriesByType("resource").map((each) => each.name);
  found.requests = asked.filter((name) => !name.startsWith("data:"));
  document.body.setAttribute("data-found", JSON.stringify(found));
  parent.postMessage(JSON.stringify(found), "*");
});
"""

PHONE = """<!doctype html><iframe src="{name}" style="width: 375px; height: 800px; border: 0"></iframe>
<script>addEventListener("message", (event) => document.body.setAttribute("data-found", event.data));</script>"""
"""A window of Chromium cannot be as narrow as a phone; a frame can."""


def probed(html: str) -> str:
    """The page with the probe in it, and a policy that allows the probe besides."""
    known = policy(asset("gallery.css"), asset("gallery.js"))
    wider = known.replace("script-src ", f"script-src '{source_hash(PROBE)}' ")
    here, there = (escape(each).replace("&#x27;", "&#39;") for each in (known, wider))
    assert here in html
    return html.replace(here, there).replace("</style>", f"</style><script>{PROBE}</script>", 1)


def opened(page: Path, folder: Path, *options: str) -> tuple[dict[str, Any], str]:
    """What the probe finds, and what the console says."""
    assert CHROMIUM
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--enable-logging=stderr", f"--user-data-dir={folder}",
        "--virtual-time-budget=10000", "--dump-dom", *options, page.as_uri(),
    ]  # fmt: skip
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    found = re.search(r'data-found="([^"]*)"', answer.stdout)
    assert found, f"the probe did not end: {answer.stderr[-2000:]}"
    console = "\n".join(line for line in answer.stderr.splitlines() if "CONSOLE" in line)
    return json.loads(unescape(found[1])), console


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "gallery.html"
    path.write_text(probed(write_page(scenes.all_rooms(), scenes.run_facts(), scenes.places())), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def seen(page: Path) -> tuple[dict[str, Any], str]:
    return opened(page, page.parent / "wide", "--window-size=1440,1200")


def test_pictures_load_and_have_words(seen: tuple[dict[str, Any], str]) -> None:
    found, _ = seen
    assert found["images"] > 25
    assert (found["broken"], found["unnamed"]) == ([], 0)


def test_nothing_is_refused_wrong_or_asked_for(seen: tuple[dict[str, Any], str]) -> None:
    found, console = seen
    assert (found["violations"], found["errors"], found["requests"], console) == ([], [], [], "")


def test_sliders_move_and_can_be_reached_by_keyboard(seen: tuple[dict[str, Any], str]) -> None:
    found, _ = seen
    assert found["sliders"] == found["named"] == 3
    assert "10%" in found["clips"][0] and "80%" in found["clips"][1]
    assert found["told"] == "80 % input, the rest predicted"
    assert found["focusable"]


def test_another_pair_shows_another_picture(seen: tuple[dict[str, Any], str]) -> None:
    found, _ = seen
    assert found["pairs"] == 4
    assert found["changed"]
    assert found["over_alt"].startswith("Map of the errors")


def test_the_map_is_drawn_and_walked(seen: tuple[dict[str, Any], str]) -> None:
    found, _ = seen
    assert found["colors_on_map"] > 100
    assert found["pressed"] == "true"
    assert found["walked"].startswith("curiosity mastcam left, sol ")


def test_it_fits_a_phone(page: Path) -> None:
    phone = page.with_name("phone.html")
    phone.write_text(PHONE.format(name=page.name), encoding="utf-8")
    found, console = opened(phone, page.parent / "narrow")
    assert found["width"] == 375
    assert (found["sticking_out"], found["wide"], console) == (0, [], "")


def test_a_fault_in_the_page_would_be_seen(page: Path) -> None:
    """The probe tells when a picture does not load, or the network is asked."""
    text = page.read_text(encoding="utf-8")
    broken = text.replace("<main", '<img alt="from elsewhere" src="http://127.0.0.1:9/x.png"><main', 1)
    spoilt = page.with_name("spoilt.html")
    spoilt.write_text(broken, encoding="utf-8")
    found, console = opened(spoilt, page.parent / "spoilt")
    assert found["broken"] == ["from elsewhere"]
    assert found["violations"] == ["img-src"]
    assert "Content Security Policy" in console
