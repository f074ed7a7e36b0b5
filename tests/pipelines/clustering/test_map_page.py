"""The interactive map holds every tile and picture, and asks nothing of the network."""

import base64
import json
import re

import cv2
import numpy as np

from rovervision.imaging.tiles import TileStore
from rovervision.pipelines.clustering import map_page, nodes
from rovervision.pipelines.clustering.map_template import TEMPLATE
from tests.pipelines.clustering.found import Found, found


def page_of(of: Found, tiles: TileStore | None = None) -> str:
    places = nodes.map_tiles(of.codes, of.config, 0)
    return map_page.write_map_page(tiles or of.tiles, places, of.tile_clusters, of.table, of.config)


def data_in(page: str) -> dict:
    found_data = re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found_data
    return json.loads(found_data[1])


def test_every_tile_is_there_with_its_cluster_camera_sol_and_label() -> None:
    of = found()
    data = data_in(page_of(of))
    index = of.tiles.index
    assert data["frame"] == index["frame_id"].tolist()
    assert data["sol"] == index["sol"].tolist()
    named = {way: [group["names"][number] for number in group["of"]] for way, group in data["groups"].items()}
    assert named["camera"] == ("curiosity " + index["camera"].str.replace("_", " ")).tolist()
    assert named["label"] == index["label"].tolist()
    assert [int(name.split(" · ")[0]) for name in named["cluster"]] == of.tile_clusters["cluster"].tolist()


def test_the_pictures_are_those_of_the_tiles() -> None:
    of = found()
    data = data_in(page_of(of))
    side, columns = data["side"], data["columns"]
    packed = base64.b64decode(data["sheets"][0].partition(",")[2])
    sheet = cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(float)
    for row in (0, 1, columns, len(of.tiles) - 1):
        top, left = side * (row // columns), side * (row % columns)
        expected = cv2.resize(of.tiles.pixels[row], (side, side), interpolation=cv2.INTER_AREA)
        assert np.abs(sheet[top : top + side, left : left + side] - expected).mean() < 12


def test_many_tiles_stand_on_several_sheets_and_no_more_than_asked_for() -> None:
    pixels = np.zeros((1100, 4, 4, 3), np.uint8)
    assert len(map_page.sprite_sheets(pixels, np.arange(1100), 8)) == 2
    of = found()
    figures = of.config.figures.model_copy(update={"page_tiles": 10})
    few = Found(**{**vars(of), "config": of.config.model_copy(update={"figures": figures})})
    assert len(data_in(page_of(few))["x"]) == 10


def test_nothing_is_fetched_and_no_name_can_end_the_script() -> None:
    of = found()
    evil = "</script><img src=x>"
    index = of.tiles.index.assign(label=of.tiles.index["label"].replace("spots", evil))
    page = page_of(of, TileStore(of.tiles.pixels, of.tiles.regions, index))
    assert not re.search(r"https?://|<link[^>]+href=\"(?!data:)|\ssrc=\"", TEMPLATE)
    assert evil in data_in(page)["groups"]["label"]["names"]
    assert page.count("</script>") == TEMPLATE.count("</script>")
    assert "@@" not in TEMPLATE.replace("@@PLOTLY@@", "").replace("@@DATA@@", "")
