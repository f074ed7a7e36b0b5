"""`python -m rovervision` and the `rovervision` command: the same as `kedro run`, also without a project folder."""

import logging
import sys
from collections.abc import Sequence
from typing import Any

logging.disable(logging.INFO)  # Kedro tells which logging it reads at import, before ours takes its place
from kedro.framework.project import configure_project  # noqa: E402

logging.disable(logging.NOTSET)


def main(arguments: Sequence[str] | None = None) -> Any:
    """Run pipelines with the options of `kedro run`; a leading word `run` is allowed.

    Args:
        arguments: The words after the command's name; those of the process when None.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    configure_project("rovervision")
    from rovervision.cli import run  # after Kedro knows the project

    return run(words[1:] if words[:1] == ["run"] else words, prog_name="rovervision")


if __name__ == "__main__":
    main()
