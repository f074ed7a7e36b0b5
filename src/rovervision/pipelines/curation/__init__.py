"""Curation: frames as they were fetched become measured, judged and split tiles."""

from rovervision.pipelines.curation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
