"""Figures show what the tables say."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from rovervision.pipelines.clustering import nodes, similar
from rovervision.pipelines.clustering.describing import tabulate_clusters
from rovervision.pipelines.clustering.figures import (
    draw_cluster_scores,
    draw_cluster_sheets,
    draw_confusion,
    draw_encoder_curves,
    draw_map,
    draw_outliers,
    draw_overview,
    draw_reconstructions,
    draw_similar,
    draw_timeline,
)
from rovervision.pipelines.clustering.figures.boards import resized
from rovervision.pipelines.clustering.figures.members import farthest, nearest
from rovervision.pipelines.clustering.figures.palette import OUTLIER_COLOR, as_rgb, cluster_colors, color_of
from tests.pipelines.clustering.found import found, scores
from tests.pipelines.clustering.scenes import scene_tiles


def texts(figure) -> str:
    """All that is written on a figure."""
    found_texts = [text.get_text() for text in figure.texts]
    for axis in figure.axes:
        labels = [*axis.get_xticklabels(), *axis.get_yticklabels(), axis.xaxis.label, axis.yaxis.label]
        found_texts += [text.get_text() for text in [*axis.texts, *labels, axis.title]]
        found_texts.append(axis.get_title(loc="left"))
    suptitle = figure.get_suptitle()
    return "\n".join([*found_texts, suptitle])


def holds(picture: np.ndarray, board: np.ndarray) -> bool:
    """Tell whether a picture stands somewhere on a board, pixel by pixel."""
    side = len(picture)
    places = np.argwhere((board[: -side + 1, : -side + 1] == picture[0, 0]).all(axis=-1))
    return any(np.array_equal(board[top : top + side, left : left + side], picture) for top, left in places)


def board_of(figure) -> np.ndarray:
    return np.asarray(figure.axes[0].images[0].get_array())


def test_the_overview_shows_each_cluster_by_its_own_tiles() -> None:
    of = found()
    figure = draw_overview(of.tiles, of.tile_clusters, of.table, of.config)
    board = board_of(figure)
    for _, row in of.table.iterrows():
        members = of.tile_clusters[of.tile_clusters["cluster"] == row["cluster"]]
        near, far = nearest(members, 3), farthest(members, 2)
        assert near[0] == members["distance"].idxmin() and far[0] == members["distance"].idxmax()
        assert all(holds(resized(of.tiles.pixels[each], 66), board) for each in (*near, *far))
        assert holds(resized(of.tiles.pixels[row["medoid_row"]], 74), board)
        assert str(row["name"])[:30] in texts(figure)


def test_each_cluster_has_a_page_and_outliers_have_one() -> None:
    of = found()
    assert set(draw_cluster_sheets(of.tiles, of.tile_clusters, of.table, of.config)) == {
        "cluster_00.png",
        "cluster_01.png",
    }
    lost = of.tile_clusters.assign(cluster=of.tile_clusters["cluster"].where(of.tile_clusters.index > 5, -1))
    table = tabulate_clusters(of.tiles, lost, of.config)
    assert table["cluster"].tolist()[-1] == -1
    assert "outliers.png" in draw_cluster_sheets(of.tiles, lost, table, of.config)
    assert draw_overview(of.tiles, lost, table, of.config) and draw_timeline(lost, table)


def test_the_map_and_its_pictures_have_their_clusters_colours() -> None:
    of = found()
    places = nodes.map_tiles(of.codes, of.config, 0)
    board = board_of(draw_map(of.tiles, places, of.tile_clusters, of.table, of.config))
    for color in cluster_colors(2):
        assert (board == as_rgb(color)).all(axis=-1).sum() > 300


def test_the_timeline_shares_add_up_and_ask_for_sols() -> None:
    of = found()
    figure = draw_timeline(of.tile_clusters, of.table)
    shares = next(axis.images[0].get_array() for axis in figure.axes if axis.images)
    np.testing.assert_allclose(np.ma.filled(shares, np.nan).sum(axis=0), 1)
    assert "No tile has a sol" in texts(draw_timeline(of.tile_clusters.assign(sol=np.nan), of.table))


def test_the_confusion_is_that_of_labels() -> None:
    of = found()
    figure = draw_confusion(of.tiles, of.tile_clusters, of.config)
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), np.eye(2))
    blank = scene_tiles()
    blank.index["label"] = None
    assert "Nothing is known" in texts(draw_confusion(blank, of.tile_clusters, of.config))


def test_the_chart_names_every_encoder_and_its_nmi() -> None:
    table, _ = scores()
    written = texts(draw_cluster_scores(table, found().config))
    for _, row in table[table["scope"] == "all"].iterrows():
        assert row["encoder"] in written and f"{row['nmi']:.2f}" in written


def test_curves_have_a_point_for_every_epoch_or_say_why_not() -> None:
    of = found("autoencoder")
    (axis,) = draw_encoder_curves(of.checkpoint, of.config).axes
    assert [list(line.get_xdata()) for line in axis.lines[:2]] == [[1], [1]]
    assert "learn nothing" in texts(draw_encoder_curves(found().checkpoint, found().config))


def test_autoencoders_show_what_they_give_back_and_others_say_that_they_cannot() -> None:
    of = found("autoencoder")
    figure = draw_reconstructions(of.tiles, of.encoder, of.table, of.config)
    assert "mean error of these" in texts(figure)
    medoid = of.tiles.pixels[of.table.loc[of.table["cluster"] == 0, "medoid_row"].item()]
    assert holds(resized(medoid, 92), board_of(figure))
    assert "cannot turn codes back" in texts(draw_reconstructions(of.tiles, found().encoder, of.table, of.config))


def test_sheets_of_the_rare_and_the_alike() -> None:
    of = found()
    rare = nodes.list_outliers(of.tiles, of.codes, of.clusters, of.tile_clusters, of.config)
    assert f"{rare['distance'].iloc[0]:.2f}" in texts(draw_outliers(of.tiles, rare))
    assert "No outliers were asked for" in texts(draw_outliers(of.tiles, rare.iloc[:0]))
    asked = similar.choose_queries(of.tiles, of.table, {}, of.clusters, of.config)
    alike = similar.find_similar(asked, of.codes, of.tile_clusters, of.encoder, of.clusters, of.config)
    figure = draw_similar(of.tiles, alike, asked)
    assert all(holds(resized(picture, 92), board_of(figure)) for picture in asked.values())


def test_no_figure_is_left_in_pyplot() -> None:
    assert plt.get_fignums() == []


@pytest.mark.parametrize("count", [1, 3, 30])
def test_colours_differ_and_outliers_are_gray(count: int) -> None:
    colors = cluster_colors(count)
    assert len(set(colors)) == count and OUTLIER_COLOR not in colors
    assert color_of(-1, colors) == OUTLIER_COLOR and color_of(0, colors) == colors[0]
