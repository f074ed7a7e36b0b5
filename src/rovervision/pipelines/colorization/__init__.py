"""Colour for gray rover images: a colorizer, its scores beside baselines, and its use on any image."""

from rovervision.pipelines.colorization.pipeline import create_pipeline

__all__ = ["create_pipeline"]
