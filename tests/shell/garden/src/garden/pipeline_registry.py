from rovervision.pipeline_registry import register_pipelines

__all__ = ["register_pipelines"]
