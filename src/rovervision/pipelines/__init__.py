"""The pipelines, one folder each, found by name."""
