"""A map of what the rovers saw: codes of tiles, their clusters, what is rare and what is alike."""

from rovervision.pipelines.clustering.pipeline import create_pipeline

__all__ = ["create_pipeline"]
