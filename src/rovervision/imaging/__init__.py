"""Mathematics on image arrays: colour, framing, quality, duplicates, splits, scores."""
