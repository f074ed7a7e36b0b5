"""Configuration as plain text, in a folder or in the archive that `kedro package` writes."""

import re
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import yaml
from omegaconf import OmegaConf

RUNTIME_KEY = re.compile(r"\$\{runtime_params:\s*([\w.]+)")


def texts(conf_source: Path) -> Iterator[tuple[PurePosixPath, str]]:
    """Yield path (from the top of the configuration) and text of every YAML file.

    Args:
        conf_source: A folder, a `.tar.gz` or a `.zip`; anything else yields nothing.
    """
    if conf_source.is_dir():
        for path in sorted(conf_source.rglob("*.yml")):
            yield PurePosixPath(path.relative_to(conf_source).as_posix()), path.read_text(encoding="utf-8")
    elif conf_source.is_file() and tarfile.is_tarfile(conf_source):
        with tarfile.open(conf_source) as archive:
            for member in archive.getmembers():
                if member.name.endswith(".yml") and (stream := archive.extractfile(member)):
                    yield _below_top(member.name), stream.read().decode()
    elif conf_source.is_file() and zipfile.is_zipfile(conf_source):
        with zipfile.ZipFile(conf_source) as bundle:
            for name in bundle.namelist():
                if name.endswith(".yml"):
                    yield _below_top(name), bundle.read(name).decode()


def _below_top(name: str) -> PurePosixPath:
    """Drop `./` and the archive's one top folder."""
    path = PurePosixPath(name)
    return PurePosixPath(*path.parts[1:]) if len(path.parts) > 1 else path


def environments(conf_source: Path) -> set[str]:
    """Return the names that `--env` may take."""
    names = {path.parts[0] for path, _ in texts(conf_source) if len(path.parts) > 1}
    if conf_source.is_dir():
        names |= {path.name for path in conf_source.iterdir() if path.is_dir()}
    return names


def yaml_faults(conf_source: Path) -> Iterator[str]:
    """Yield a sentence for each file that is no YAML: the file, the line (from 1) and what is wrong there."""
    for path, text in texts(conf_source):
        try:
            OmegaConf.create(text)  # as Kedro reads it: a key that stands twice is a fault too
        except yaml.YAMLError as fault:
            mark = getattr(fault, "problem_mark", None)
            where = f", line {mark.line + 1}" if mark else ""
            what = getattr(fault, "problem", None) or str(fault)
            yield f"{conf_source / path}{where} is not valid YAML: {what}. Mend it there or just above."


def runtime_keys(conf_source: Path) -> set[str]:
    """Return the keys that the configuration takes from `--params` alone, as `${runtime_params:apply.input, ...}`."""
    return {key for _, text in texts(conf_source) for key in RUNTIME_KEY.findall(text)}
