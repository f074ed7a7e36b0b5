"""The words above the page: whose pictures they are, and what the run found, in numbers."""

from typing import Any

from rovervision.gallery.rooms import Rooms
from rovervision.gallery.scores import ScoreTable


def heading(rooms: Rooms) -> str:
    """Return the rovers, as `Curiosity, Opportunity and Perseverance`."""
    kept = rooms.rooms.get("kept")
    names = sorted({camera.partition("/")[0].capitalize() for camera, _ in kept.content.cameras}) if kept else []
    if not names:
        return "A run of rovervision"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def lede(rooms: Rooms) -> list[str]:
    """Return a sentence for each room that has something to tell."""
    tellers = {"kept": _kept, "clusters": _clusters, "colors": _colors, "generated": _generated}
    return [tell(rooms.rooms[key].content) for key, tell in tellers.items() if key in rooms.rooms]


def _kept(kept: Any) -> str:
    fetched = next(step for step in kept.steps if step.name == "fetched")
    told = f"{fetched.count:,} images came in{f', from {kept.sols}' if kept.sols else ''}"
    last = kept.steps[-1]
    return f"{told}; {last.count:,} were kept and {last.note}." if kept.has_curation else f"{told}."


def _clusters(room: Any) -> str:
    count = sum(cluster.number >= 0 for cluster in room.clusters)
    return f"By what they show they fall into {count} groups, which nobody named beforehand."


def _colors(room: Any) -> str:
    table: ScoreTable = room.scores
    place = [column.key for column in table.columns].index("ciede2000_mean")
    own = next((row.cells[place].text for row in table.rows if row.role == "model"), "")
    baselines = [row for row in table.rows if row.role == "baseline" and row.cells[place].text != "–"]
    told = f"A colorizer that learnt from them errs by {own} units of CIEDE2000 on frames that it never saw"
    best = min(baselines, key=lambda row: float(row.cells[place].text), default=None)
    return f"{told}; the best that needs no network, {best.name}, by {best.cells[place].text}." if best else f"{told}."


def _generated(room: Any) -> str:
    return f"A generator made {room.n_tiles:,} tiles that no camera took."
