from rovervision.cli import cli, run

__all__ = ["cli", "run"]
