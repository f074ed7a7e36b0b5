"""Curation: frames as they were fetched become measured, judged and split tiles."""
