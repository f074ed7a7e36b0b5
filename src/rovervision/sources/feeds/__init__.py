"""The live feeds of raw images: JSON over HTTP, page by page, with a memory of what was listed."""
