"""Archives of rover images: what they list and how their bytes are fetched."""
