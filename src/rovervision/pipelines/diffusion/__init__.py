"""Tiles of a Mars that no rover has seen: a denoiser, what it generates, and what that is worth."""

from rovervision.pipelines.diffusion.pipeline import create_pipeline

__all__ = ["create_pipeline"]
