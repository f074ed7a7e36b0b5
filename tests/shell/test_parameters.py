"""Sentences about parameters."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, model_validator

from rovervision.parameters import explain_sections, explain_shared, flat, suggestion, unknown_keys


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(Strict):
    rate: float = Field(default=0.1, gt=0)


class Section(Strict):
    n_epochs: int = Field(ge=0)
    step: Step = Step()
    steps: tuple[Step, ...] = ()

    @model_validator(mode="after")
    def _some_work(self) -> "Section":
        if self.n_epochs == 13:
            raise ValueError("Thirteen is unlucky")
        return self


leaves = st.integers() | st.text(max_size=3) | st.none() | st.lists(st.integers(), max_size=2)
names = st.text("abc", min_size=1, max_size=3)
trees = st.recursive(leaves, lambda inner: st.dictionaries(names, inner, min_size=1, max_size=3), max_leaves=8)


def rebuilt(named: dict[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in named.items():
        *parents, last = name.split(".")
        here = tree
        for parent in parents:
            here = here.setdefault(parent, {})
        here[last] = value
    return tree


@given(st.dictionaries(names, trees, min_size=1, max_size=3))
def test_flat_names_lose_nothing(tree: dict[str, Any]) -> None:
    assert rebuilt(flat(tree)) == tree


def test_models_are_flattened_field_by_field() -> None:
    assert flat({"section": Section(n_epochs=2)}) == {
        "section.n_epochs": 2,
        "section.step.rate": 0.1,
        "section.steps": [],
    }


@pytest.mark.parametrize(
    ("given_values", "sentence"),
    [
        ({"n_epoch": 1, "n_epochs": 1}, "There is no parameter a.n_epoch. Did you mean a.n_epochs?"),
        ({"n_epochs": 1, "step": {"rat": 1}}, "There is no parameter a.step.rat. Did you mean a.step.rate?"),
        ({"n_epochs": 1, "steps": [{"rat": 1}]}, "There is no parameter a.steps.0.rat. Did you mean a.steps.0.rate?"),
        ({"n_epochs": -1}, "Parameter a.n_epochs (given: -1): input should be greater than or equal to 0."),
        ({"n_epochs": 13}, "Parameter a: thirteen is unlucky."),
        ({}, "Parameter a.n_epochs has no value; it belongs in conf/base/parameters_a.yml."),
    ],
)
def test_each_mistake_has_its_sentence(given_values: dict[str, Any], sentence: str) -> None:
    assert explain_sections({"a": given_values}, {"a": Section, "b": int}) == [sentence]


def test_a_list_is_not_blamed_for_what_is_in_it() -> None:
    class Listed(Strict):
        steps: tuple[Step, ...] = Field(min_length=1)

    told = explain_sections({"a": {"steps": [{"rate": 0}]}}, {"a": Listed})
    assert told == ["Parameter a.steps.0.rate (given: 0): input should be greater than 0."]
    assert len(explain_sections({"a": {"steps": []}}, {"a": Listed})) == 1


def test_right_values_need_no_words() -> None:
    assert explain_sections({"a": {"n_epochs": 1, "steps": [{"rate": 2}]}}, {"a": Section}) == []


def test_keys_that_nothing_reads_are_named() -> None:
    stored, runtime = {"seed": 0, "a": {"b": {"c": 1}}, "free": {"x": None}}, {"apply.input"}
    assert unknown_keys({"seed": 3, "a": {"b": {"c": 2}}, "apply": {"input": "x"}}, stored, runtime) == []
    assert unknown_keys({"free": {"x": {"anything": 1}}}, stored, runtime) == []
    assert unknown_keys({"sed": 3}, stored, runtime) == ["There is no parameter sed. Did you mean seed?"]
    assert unknown_keys({"apply": {"inptu": "x"}}, stored, runtime) == [
        "There is no parameter apply.inptu. Did you mean apply.input?"
    ]


def test_nothing_near_lists_what_there_is() -> None:
    assert suggestion("zzz", ["b", "a"]) == "Known names: a, b."
    assert suggestion("zzz", []) == ""


@pytest.mark.parametrize("device", ["auto", "cpu", "mps", "cuda", "cuda:0", "cuda:12"])
@pytest.mark.parametrize("seed", [0, 7, 2**63 - 1])
def test_devices_and_seeds_that_there_are_pass(device: str, seed: int) -> None:
    assert explain_shared({"device": device, "seed": seed}) == []


@pytest.mark.parametrize("device", [0, None, "", "banana", "cuda:", "cuda:-1", "cpu:1", "Cuda", "cuda\n"])
def test_a_device_that_is_none_is_refused(device: object) -> None:
    (sentence,) = explain_shared({"device": device, "seed": 0})
    assert repr(device) in sentence and "auto, cpu, mps, cuda" in sentence


@pytest.mark.parametrize("seed", [-1, 1.5, "1", None, True, 2**63])
def test_a_seed_that_is_no_count_is_refused(seed: object) -> None:
    (sentence,) = explain_shared({"device": "cpu", "seed": seed})
    assert repr(seed) in sentence and "whole number" in sentence
