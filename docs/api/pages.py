"""A hook of MkDocs: a page for each package, of its modules' docstrings, so that none is missing or left behind."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

SOURCE = Path(__file__).parents[2] / "src"
HEADINGS = ("rovervision.hooks", "rovervision.pipelines", "rovervision.datasets", "rovervision.learning")
HEADINGS += ("rovervision.imaging", "rovervision.sources")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages into the menu, below `Code`."""
    pages = [{name: f"api/{name}.md"} for name in modules_by_page(SOURCE)]
    config.nav = [{"Code": [*entry["Code"], *pages]} if "Code" in entry else entry for entry in config.nav or []]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages to those that are written by hand."""
    for name, modules in modules_by_page(SOURCE).items():
        text = f"# {name}\n\n" + "\n\n".join(f"::: {module}" for module in modules)
        files.append(File.generated(config, f"api/{name}.md", content=text))
    return files


def modules_by_page(source: Path) -> dict[str, list[str]]:
    """Return page name → its public modules; a module stands on the page of the nearest heading above it."""
    pages: dict[str, list[str]] = {name: [] for name in ("rovervision", *HEADINGS)}
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        if not any(part.startswith("_") for part in parts):
            above = [name for name in pages if f"{'.'.join(parts)}.".startswith(f"{name}.")]
            pages[max(above, key=len)].append(".".join(parts))
    return pages
