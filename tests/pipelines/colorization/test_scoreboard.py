"""The scoreboard remembers other colorizers, and has each of them once."""

import pandas as pd
import pytest
import torch

from rovervision.datasets.earlier_table import EarlierTableDataset
from rovervision.learning.weights import Weights
from rovervision.pipelines.colorization import scoreboard, scoring
from tests.pipelines.colorization.examples import CONFIG


def weights(kind: str = "residual", recipe: str = "r1", **header: object) -> Weights:
    own = {"size": "xs", "widths": None, "members": 1, "encoder": "none"}
    about = {"model": {"kind": kind, kind: own}, "recipe": recipe, "epochs": 3} | header
    return Weights({"tables": torch.zeros(1, 101, 2), "w": torch.zeros(4, 5)}, about)


def scores(kind: str = "residual", chroma: float = 20.0, error: float = 3.0) -> pd.DataFrame:
    methods = {"gray": 9.0, "lightness_table": 4.0, kind: error, "oracle_own_table": 2.0}
    rows = [
        {"frame_id": f"f{i}", "rover": "r", "camera": "c", "sol": i, "label": None, "method": name,
         "ciede2000": value + i / 10, "chroma": chroma + i, "predicted_chroma": chroma, "doubt": 1.0,
         "doubt_rank": 0.5, "ciede2000_low_chroma": value}
        for i in range(4)
        for name, value in methods.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def updated(before: pd.DataFrame, colorizer: Weights, own: pd.DataFrame) -> pd.DataFrame:
    kind = str(colorizer.header["model"]["kind"])
    config = CONFIG.model_copy(update={"model": CONFIG.model.model_copy(update={"kind": kind})})
    table, _ = scoring.tabulate_scores(own, config, 0)
    return scoreboard.update_scoreboard(before, table, own, colorizer, config)


def models(board: pd.DataFrame) -> list[tuple[str, float]]:
    rows = board[board["role"] == "model"]
    return list(zip(rows["name"], rows["ciede2000_mean"].round(2), strict=True))


def test_two_kinds_stand_side_by_side_beside_one_table():
    board = updated(pd.DataFrame(), weights(), scores())
    board = updated(board, weights("regression", "r2"), scores("regression", error=5.0))
    assert models(board) == [("residual xs", 3.15), ("regression xs", 5.15)]
    assert (board["method"] == "lightness_table").sum() == 1
    assert (board["method"] == "oracle_own_table").sum() == 1
    assert len(scoreboard.compared_rows(board)) == len(board)


def test_scoring_again_replaces_and_another_recipe_does_not():
    board = updated(pd.DataFrame(), weights(), scores())
    again = updated(board, weights(), scores(error=2.5))
    assert models(again) == [("residual xs", 2.65)]
    more = updated(again, weights(recipe="r9"), scores(error=2.0))
    assert models(more) == [("residual xs", 2.65), ("residual xs", 2.15)]
    rows = more[more["role"] == "model"]
    assert scoreboard.tell_apart(rows) == ["residual xs [r1]", "residual xs [r9]"]


def test_other_data_stays_and_is_not_compared():
    board = updated(updated(pd.DataFrame(), weights(), scores()), weights(recipe="r2"), scores(chroma=30.0))
    assert len(models(board)) == 2
    assert models(scoreboard.compared_rows(board)) == [("residual xs", 3.15)]
    assert board["scored_data"].nunique() == 2


def test_it_survives_its_file(tmp_path):
    board = updated(pd.DataFrame(), weights(recipe="0123456789"), scores())
    board.to_csv(tmp_path / "board.csv", index=False, float_format="%.4f")
    back = EarlierTableDataset(filepath=str(tmp_path / "board.csv"), text_columns=["recipe", "scored_data"]).load()
    again = updated(back, weights(recipe="0123456789"), scores())
    assert len(again) == len(board)
    assert models(again) == models(board)


def test_parameters_are_counted_without_the_tables():
    board = updated(pd.DataFrame(), weights(), scores())
    assert board.loc[board["role"] == "model", "parameters"].item() == 20


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ({"model": {"kind": "residual", "residual": {"size": "s", "members": 4, "encoder": "resnet18"}}},
         "residual s × 4 resnet18"),
        ({"model": {"kind": "residual", "residual": {"size": "s", "widths": [8]}}}, "residual own widths"),
        ({"model": {"kind": "classification_marginal"}, "recipe_name": "original"},
         "classification marginal (original recipe)"),
    ],
)  # fmt: skip
def test_names_tell_what_differs(header, name):
    assert scoreboard.name_colorizer(header) == name
