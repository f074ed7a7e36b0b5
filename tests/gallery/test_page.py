import json
import re
from html.parser import HTMLParser

import pytest

from rovervision.gallery import page as page_module
from rovervision.gallery.page import PAGE_MAX_BYTES, PageTooLargeError, asset, data_block, policy, write_page
from rovervision.gallery.rooms import Rooms
from tests.gallery import scenes

VOID = {"meta", "img", "input", "link", "br", "hr", "source"}


@pytest.fixture(scope="module")
def html() -> str:
    return write_page(scenes.all_rooms(), scenes.run_facts(), scenes.places(), "../")


class Reader(HTMLParser):
    """Follows the nesting of elements, and keeps what tests ask for."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.faults: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(set(names)) < len(names):
            self.faults.append(f"<{tag}> has an attribute twice")
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID and not self.get_starttag_text().endswith("/>"):  # type: ignore[union-attr]
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()
        elif not self.get_starttag_text().endswith("/>"):  # type: ignore[union-attr]
            self.faults.append(f"</{tag}> at {self.getpos()} closes {self.open[-1:]}")


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


def test_elements_are_nested_and_closed(html: str) -> None:
    reader = read(html)
    assert reader.faults == []
    assert reader.open == []
    assert html.startswith("<!doctype html>")
    assert read("<p><b></p></b>").faults != []


def test_every_id_is_there_once_and_every_link_inside_leads_to_one(html: str) -> None:
    elements = read(html).elements
    ids = [about["id"] for _, about in elements if "id" in about]
    assert len(set(ids)) == len(ids)
    inside = [str(about["href"])[1:] for tag, about in elements if tag == "a" and str(about["href"]).startswith("#")]
    assert inside and set(inside) <= set(ids)
    named = [about["aria-labelledby"] for _, about in elements if "aria-labelledby" in about]
    assert set(named) <= set(ids)


def test_every_picture_is_in_the_page_and_has_words(html: str) -> None:
    pictures = [about for tag, about in read(html).elements if tag == "img"]
    assert len(pictures) > 20
    assert [about for about in pictures if not str(about["src"]).startswith("data:image/webp;base64,")] == []
    assert [about for about in pictures if len(about.get("alt") or "") < 10] == []


def test_nothing_comes_from_elsewhere(html: str) -> None:
    elements = read(html).elements
    fetched = [
        about.get(name) for _, about in elements for name in ("src", "srcset", "poster", "action") if name in about
    ]
    assert [place for place in fetched if not str(place).startswith("data:")] == []
    assert [tag for tag, _ in elements if tag in {"link", "iframe", "object", "embed", "base", "form"}] == []
    assert (
        re.findall(r"url\(|@import|\bfetch\(|XMLHttpRequest|https?://", asset("gallery.css") + asset("gallery.js"))
        == []
    )
    assert [place for tag, about in elements if tag == "a" and "//" in (place := str(about["href"]))] == []


def test_the_policy_allows_this_style_and_this_script_alone(html: str) -> None:
    said = next(about for _, about in read(html).elements if about.get("http-equiv") == "Content-Security-Policy")
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    script = re.search(r"<script>(.*)</script>\s*</body>", html, re.DOTALL)
    assert style and script
    assert said["content"] == policy(style[1], script[1])
    assert "default-src 'none'" in str(said["content"]) and "unsafe" not in str(said["content"])
    inline = [tag for tag, about in read(html).elements for name in about if name == "style" or name.startswith("on")]
    assert inline == []


def test_names_from_outside_are_words_and_no_markup(html: str) -> None:
    assert "<script>alert(1)" not in html and "onerror=alert(1)>" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert len([tag for tag, _ in read(html).elements if tag == "script"]) == 2


def test_data_for_the_script_cannot_end_it() -> None:
    told = data_block({"text": [scenes.HOSTILE, "&lt;"]})
    assert not set("<>&") & set(told)
    assert json.loads(told) == {"text": [scenes.HOSTILE, "&lt;"]}


def test_a_page_of_nothing_but_facts_can_be_written() -> None:
    html = write_page(Rooms(), scenes.run_facts(), {name: [] for name in scenes.places()})
    assert read(html).faults == [] and "abc123" in html


def test_pictures_give_way_where_the_page_would_be_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = Rooms(frieze=scenes.large_picture(900))
    free = write_page(rooms, scenes.run_facts(), scenes.places())
    bound = len(free) // 3
    monkeypatch.setattr(page_module, "PAGE_MAX_BYTES", bound)
    assert len(write_page(rooms, scenes.run_facts(), scenes.places()).encode()) <= bound < len(free) < PAGE_MAX_BYTES
    monkeypatch.setattr(page_module, "PAGE_MAX_BYTES", 100)
    with pytest.raises(PageTooLargeError):
        write_page(rooms, scenes.run_facts(), scenes.places())


def luminance(color: str) -> float:
    """Relative luminance after WCAG 2.2."""
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_words_stand_out_in_light_and_dark() -> None:
    """4.5 is what WCAG asks of text at level AA, 3 of lines that carry meaning."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    schemes = re.findall(r":root \{([^}]*--paper[^}]*)\}", asset("gallery.css"))
    assert len(schemes) == 2
    for scheme in schemes:
        colors = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", scheme))
        for ground in ("paper", "wash"):
            for ink in ("ink", "muted", "accent"):
                assert contrast(colors[ink], colors[ground]) >= 4.5, (ink, ground)
