"""The figures of curation, one family a file. Every function returns a figure or table and touches no global state."""

from rovervision.pipelines.curation.figures.cameras import draw_sheet
from rovervision.pipelines.curation.figures.duplicates import draw_duplicates
from rovervision.pipelines.curation.figures.funnel import draw_funnel
from rovervision.pipelines.curation.figures.sharpness import draw_sharpness
from rovervision.pipelines.curation.figures.sizes import tabulate_sizes
from rovervision.pipelines.curation.figures.splits import draw_splits

__all__ = ["draw_duplicates", "draw_funnel", "draw_sharpness", "draw_sheet", "draw_splits", "tabulate_sizes"]
