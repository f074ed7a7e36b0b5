"""What ingestion did, in counts."""

from collections import Counter
from typing import Any

import pandas as pd

from rovervision.pipelines.ingestion.selecting import OUTCOMES


def table_of_outcomes(counts: Counter[tuple[str, str]]) -> dict[str, Any]:
    """Lay out the counts of (query, outcome) as {query: {outcome: count}}, with every outcome named."""
    table: dict[str, Any] = {}
    for query in sorted({query for query, _ in counts}):
        of_query = {outcome: counts[query, outcome] for outcome in OUTCOMES[1:]}
        table[query] = {"listed": sum(of_query.values())} | of_query
    return table


def summarize(frames_fetched: pd.DataFrame, selection_counts: dict[str, Any]) -> dict[str, Any]:
    """Count fetched frames by query, rover, camera, class and official split, and failures by reason."""
    whole = frames_fetched[frames_fetched["failure"].isna()]
    sols = whole["sol"].dropna()
    return {
        "n_selected": len(frames_fetched),
        "n_fetched": len(whole),
        "n_failed": len(frames_fetched) - len(whole),
        "n_masks": int(whole["has_mask"].sum()),
        "n_bytes": int(whole["n_bytes"].sum()),
        "sol_min": int(sols.min()) if len(sols) else None,
        "sol_max": int(sols.max()) if len(sols) else None,
        "queries": selection_counts,
        "cameras": _tally(whole["rover"].astype(str) + "/" + whole["camera"].astype(str)),
        "sample_types": _tally(whole["sample_type"]),
        "labels": _tally(whole["label"]),
        "official_splits": _tally(whole["official_split"]),
        "failures": _tally(frames_fetched["failure_reason"]),
        "credits": _tally(whole["credit"]),
    }


def _tally(words: pd.Series) -> dict[str, int]:
    return {str(word): int(count) for word, count in words.dropna().value_counts().items()}
