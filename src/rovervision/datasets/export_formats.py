"""The layouts of an export: Parquet files that carry the images, or PNG files with a table beside them."""

import json
import math
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

_IMAGE: Final = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
"""How `datasets` keeps an encoded image in a table."""


class Batch(NamedTuple):
    """Some rows of an export."""

    index: pa.Table
    images: list[bytes]
    """PNG, (P, P, 3)."""
    regions: list[bytes] | None
    """PNG, (P, P) region numbers; None where masks are not exported."""


def write_parquet(folder: Path, split: str, n_tiles: int, batches: Iterator[Batch], tiles_per_file: int) -> None:
    """Write `<split>-00000-of-0000N.parquet` files, each batch a row group or two where a file ends within it."""
    folder.mkdir(parents=True, exist_ok=True)
    n_files = math.ceil(n_tiles / tiles_per_file)
    with ExitStack() as opened:
        writer, number, room = None, 0, 0
        for table in map(_table, batches):
            while table.num_rows:
                if writer is None or room == 0:
                    opened.close()
                    path = folder / f"{split}-{number:05d}-of-{n_files:05d}.parquet"
                    writer = opened.enter_context(pq.ParquetWriter(path, table.schema))
                    number, room = number + 1, tiles_per_file
                part, table = table.slice(0, room), table.slice(room)  # noqa: PLW2901
                writer.write_table(part)
                room -= part.num_rows


def write_image_folder(folder: Path, split: str, n_tiles: int, batches: Iterator[Batch], tiles_per_file: int) -> None:
    """Write PNG files in numbered folders, and `metadata.parquet` with a row for each.

    Not JSON or CSV: their readers guess types, and guess differently for splits in which a column is empty.
    """
    root, top = folder / split, 0
    root.mkdir(parents=True)
    with ExitStack() as opened:
        writer = None
        for index, images, regions in batches:
            rows = range(top, top + len(images))
            stems = [f"{row // tiles_per_file:05d}/{row:0{len(str(n_tiles))}d}" for row in rows]
            table = _put(index, root, "file_name", [f"{stem}.png" for stem in stems], images)
            if regions is not None:
                table = _put(table, root, "regions_file_name", [f"{stem}_regions.png" for stem in stems], regions)
            writer = writer or opened.enter_context(pq.ParquetWriter(root / "metadata.parquet", table.schema))
            writer.write_table(table)
            top += len(images)


def _put(table: pa.Table, root: Path, column: str, names: list[str], encoded: list[bytes]) -> pa.Table:
    """Write the files, and return the table with their names."""
    for name, png in zip(names, encoded, strict=True):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(png)
    return table.append_column(column, pa.array(names, pa.string()))


def _table(batch: Batch) -> pa.Table:
    """Return the rows with their images, and the note by which `datasets` decodes them."""
    columns = {"image": batch.images} | ({} if batch.regions is None else {"regions": batch.regions})
    table = batch.index
    names = [f"{tile_id}.png" for tile_id in table["tile_id"].to_pylist()]
    for place, (column, encoded) in enumerate(columns.items()):
        rows = [{"bytes": png, "path": name} for png, name in zip(encoded, names, strict=True)]
        table = table.add_column(place, pa.field(column, _IMAGE), pa.array(rows, _IMAGE))
    features = {column: {"_type": "Image"} for column in columns}
    return table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
