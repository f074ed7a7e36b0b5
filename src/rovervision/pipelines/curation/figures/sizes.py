"""How large the images of each camera are."""

import pandas as pd

SIZE_COLUMNS = ("rover", "camera", "width_px", "height_px", "frames", "frames_kept", "file_bytes", "mean_file_bytes")


def tabulate_sizes(frames_split: pd.DataFrame) -> pd.DataFrame:
    """Return `SIZE_COLUMNS`, a row for each camera and size of its decoded images, commonest size of a camera first.

    Frames that could not be decoded have no width and height and stand in a row of their own, so that frames add up.
    file_bytes is the size of all those files together, mean_file_bytes their mean, rounded.
    """
    sized = pd.DataFrame(
        {
            "rover": frames_split["rover"].astype(str),
            "camera": frames_split["camera"].astype(str),
            "width_px": frames_split["decoded_width_px"].round().astype("Int64"),
            "height_px": frames_split["decoded_height_px"].round().astype("Int64"),
            "kept": frames_split["kept"].astype(bool),
            "bytes": frames_split["n_bytes"].fillna(0).astype("int64"),
        }
    )
    groups = sized.groupby(["rover", "camera", "width_px", "height_px"], dropna=False)
    table = groups.agg(frames=("kept", "size"), frames_kept=("kept", "sum"), file_bytes=("bytes", "sum")).reset_index()
    table["mean_file_bytes"] = (table["file_bytes"] / table["frames"]).round().astype("int64")
    order = ["rover", "camera", "frames", "width_px", "height_px"]
    return table.sort_values(order, ascending=[True, True, False, False, False], ignore_index=True)[list(SIZE_COLUMNS)]
