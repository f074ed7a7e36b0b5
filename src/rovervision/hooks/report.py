"""After a run: what was made, and where to look."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from kedro.framework.hooks import hook_impl

from rovervision.hooks.catalog_entries import CatalogEntries, shown
from rovervision.hooks.tracking import TrackingHooks

SHOWN_LAYERS = {"reporting": "Tables", "model_output": "Results", "models": "Models"}
"""Layers whose datasets a person opens; the others are counted."""

RUNS_PAGE = "/#/experiments/{experiment_id}/runs"
"""Page of MLflow's user interface that lists an experiment's runs; its front page is about language models."""

FIGURES = "Look at"
FIGURE_SUFFIXES = {".png", ".jpg", ".svg", ".gif", ".mp4", ".html"}


class ReportHooks:
    """Ends a run with a list of the files that are worth opening and the commands that show the rest."""

    def __init__(self, tracking: TrackingHooks) -> None:
        self._tracking = tracking
        self._started_s = time.monotonic()
        self._entries = CatalogEntries()
        self._saved: dict[str, None] = {}

    @hook_impl
    def after_catalog_created(self, conf_catalog: Mapping[str, Any]) -> None:
        """Remember layers and start counting anew."""
        self._entries = CatalogEntries(conf_catalog)
        self._saved = {}

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Remember what was saved, in order; show at once a text that is meant to be read during the run."""
        self._saved[dataset_name] = None
        if self._entries.metadata(dataset_name).get("echo"):
            click.echo(data)

    @hook_impl(trylast=True)
    def after_pipeline_run(self, run_params: dict[str, Any]) -> None:
        """Print the report."""
        saved = {name: path for name in self._saved if (path := self._entries.path(name))}
        sections: dict[str, list[str]] = {heading: [] for heading in (FIGURES, *SHOWN_LAYERS.values())}
        for name, path in saved.items():
            is_figure = self._entries.layer(name) == "reporting" and path.suffix in FIGURE_SUFFIXES
            heading = FIGURES if is_figure else SHOWN_LAYERS.get(self._entries.layer(name))
            if heading:
                sections[heading].append(f"{shown(path)}\t{self._entries.description(name)}")
        n_others = sum(self._entries.layer(name) not in SHOWN_LAYERS for name in saved)
        run = self._tracking.run
        tracked = (run.tracking_uri, run.experiment_id) if run else None
        look = look_further(Path(run_params["project_path"]), tracked)
        click.echo(closing_message(time.monotonic() - self._started_s, sections, n_others, look))


def look_further(project: Path, tracked: tuple[str, str] | None) -> list[str]:
    """Return the commands that show more.

    Args:
        project: The run's root; Kedro-Viz needs it to be a project folder.
        tracked: Where MLflow holds the run, and the id of its experiment; None when it was not tracked.
    """
    commands = ["kedro viz run\tthe pipelines as a graph"] if (project / "pyproject.toml").is_file() else []
    if tracked:
        tracking_uri, experiment_id = tracked
        is_server = tracking_uri.startswith("http")
        server = tracking_uri.rstrip("/") if is_server else "http://127.0.0.1:5000"
        page = f"{server}{RUNS_PAGE.format(experiment_id=experiment_id)}"
        if is_server:
            commands.append(f"{page}\tparameters, curves and artifacts of the runs")
        else:
            commands.append(f"mlflow ui --backend-store-uri {tracking_uri}\tthen open")
            commands.append(f"{page}\tparameters, curves and artifacts of the runs")
    return commands


def closing_message(elapsed_s: float, sections: Mapping[str, list[str]], n_others: int, look: list[str]) -> str:
    """Return the report as text; in each line a tab stands between a place and what is found there."""
    lines = [click.style(f"\nDone in {duration(elapsed_s)}.", fg="green", bold=True)]
    for heading, entries in sections.items():
        if entries:
            lines += ["", click.style(heading, bold=True), *_columns(entries)]
    if n_others:
        lines += ["", f"and {n_others} more dataset{'s' if n_others > 1 else ''} on the way there."]
    if look:
        lines += ["", click.style("Look further", bold=True), *_columns(look)]
    return "\n".join(lines) + "\n"


def _columns(entries: list[str]) -> list[str]:
    pairs = [entry.partition("\t")[::2] for entry in entries]
    width = max((len(place) for place, _ in pairs if len(place) <= 60), default=0)
    return [f"  {place:<{width}}  {click.style(what, dim=True)}".rstrip() for place, what in pairs]


def duration(elapsed_s: float) -> str:
    """Return a time span in words: `8 s`, `2 min 41 s`, `3 h 5 min`."""
    seconds = round(elapsed_s)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"
