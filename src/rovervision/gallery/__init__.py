"""The page of a run: one self-contained HTML file that shows what a run made, and of what it was made."""
