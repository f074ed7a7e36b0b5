"""Ingestion: ask archives for frames, choose among them, and fetch their images once."""

from rovervision.pipelines.ingestion.pipeline import create_pipeline

__all__ = ["create_pipeline"]
