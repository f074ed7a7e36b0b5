"""Writes the index of a MER volume as the archive does: `edrindex.lbl` and `edrindex.tab`, to the byte.

Columns, their order and widths are those of mer1po_0xxx (59 fields, 933 bytes a row) and of mer1do_0xxx (52 fields, 773
bytes a row). A row ends in one line feed, which RECORD_BYTES counts. Text stands in quotes, padded inside them; every
other value is padded at its right; a tab stands between two fields.
"""

from typing import Final, NamedTuple

STANDARD_BYTES: Final = 933
DESCENT_BYTES: Final = 773


class Column(NamedTuple):
    """One column of the index."""

    name: str
    kind: str
    """PDS3 data type; CHARACTER stands in quotes."""
    n_bytes: int
    """Width of one item without its quotes."""
    default: str
    """The value of the first row of mer1po_0xxx."""
    n_items: int = 1


_PATH_BYTES: Final = 65

COLUMNS: Final = (
    Column("VOLUME_ID", "CHARACTER", 11, "mer1po_0xxx"),
    Column("DATA_SET_ID", "CHARACTER", 40, "MER1-M-PANCAM-2-EDR-OPS-V1.0"),
    Column("INSTRUMENT_HOST_ID", "CHARACTER", 4, "MER1"),
    Column("INSTRUMENT_ID", "CHARACTER", 18, "PANCAM_LEFT"),
    Column("PATH_NAME", "CHARACTER", _PATH_BYTES, "/mer1po_0xxx/data/sol0001/edr/"),
    Column("FILE_NAME", "CHARACTER", 32, "1p128287181eff0000p2303l2m1.img"),
    Column("RELEASE_ID", "CHARACTER", 4, "0001"),
    Column("PRODUCT_ID", "CHARACTER", 27, "1P128287181EFF0000P2303L2M1"),
    Column("PRODUCT_CREATION_TIME", "TIME", 20, "2004-06-03T06:47:07Z"),
    Column("TARGET_NAME", "CHARACTER", 6, "MARS"),
    Column("MISSION_PHASE_NAME", "CHARACTER", 30, "PRIMARY MISSION"),
    Column("PLANET_DAY_NUMBER", "ASCII_INTEGER", 4, "1"),
    Column("START_TIME", "TIME", 20, "2004-01-25T07:18:28Z"),
    Column("STOP_TIME", "TIME", 20, "2004-01-25T07:18:28Z"),
    Column("EARTH_RECEIVED_START_TIME", "TIME", 20, "2004-01-25T09:18:26Z"),
    Column("EARTH_RECEIVED_STOP_TIME", "TIME", 20, "2004-01-25T09:18:51Z"),
    Column("SPACECRAFT_CLOCK_START_COUNT", "CHARACTER", 30, "128287181.621"),
    Column("SPACECRAFT_CLOCK_STOP_COUNT", "CHARACTER", 30, "128287181.841"),
    Column("SEQUENCE_ID", "CHARACTER", 30, "p2303"),
    Column("OBSERVATION_ID", "CHARACTER", 20, "0"),
    Column("LOCAL_TRUE_SOLAR_TIME", "CHARACTER", 12, "15:32:30"),
    Column("LINES", "ASCII_INTEGER", 4, "1024"),
    Column("LINE_SAMPLES", "ASCII_INTEGER", 4, "1024"),
    Column("FIRST_LINE", "ASCII_INTEGER", 4, "1"),
    Column("FIRST_LINE_SAMPLE", "ASCII_INTEGER", 4, "1"),
    Column("INSTRUMENT_SERIAL_NUMBER", "CHARACTER", 4, "115"),
    Column("INSTRUMENT_MODE_ID", "CHARACTER", 20, "FULL_FRAME"),
    Column("INST_CMPRS_RATIO", "ASCII_REAL", 12, "14.961700"),
    Column("INST_CMPRS_MODE", "ASCII_INTEGER", 4, "2"),
    Column("INST_CMPRS_FILTER", "CHARACTER", 1, "A"),
    Column("IMAGE_ID", "CHARACTER", 12, "1001043"),
    Column("IMAGE_TYPE", "CHARACTER", 10, "REGULAR"),
    Column("EXPOSURE_DURATION", "ASCII_REAL", 13, "220.160000"),
    Column("ERROR_PIXELS", "ASCII_INTEGER", 11, "71"),
    Column("FILTER_NAME", "CHARACTER", 22, "PANCAM_L2_753NM"),
    Column("FILTER_NUMBER", "ASCII_INTEGER", 4, "2"),
    Column("FRAME_ID", "CHARACTER", 5, "LEFT"),
    Column("FRAME_TYPE", "CHARACTER", 6, "MONO"),
    Column("AZIMUTH_FOV", "ASCII_REAL", 10, "15.841200"),
    Column("ELEVATION_FOV", "ASCII_REAL", 10, "15.841200"),
    Column("SITE_INSTRUMENT_AZIMUTH", "ASCII_REAL", 10, "-173.73300"),
    Column("SITE_INSTRUMENT_ELEVATION", "ASCII_REAL", 10, "-6.212310"),
    Column("ROVER_INSTRUMENT_AZIMUTH", "ASCII_REAL", 10, "-173.88800"),
    Column("ROVER_INSTRUMENT_ELEVATION", "ASCII_REAL", 10, "-1.280280"),
    Column("SOLAR_AZIMUTH", "ASCII_REAL", 11, "260.595000"),
    Column("SOLAR_ELEVATION", "ASCII_REAL", 11, "36.723700"),
    Column("SOLAR_LONGITUDE", "ASCII_REAL", 11, "-20.846500"),
    Column("APPLICATION_PROCESS_ID", "INTEGER", 4, "21"),
    Column("REFERENCE_COORD_SYSTEM_NAME", "CHARACTER", 20, "ROVER_FRAME"),
    Column("TELEMETRY_SOURCE_NAME", "CHARACTER", 60, "021_001_p2303-004-0003_003_0128287181-159.dat"),
    Column("ROVER_MOTION_COUNTER", "ASCII_INTEGER", 6, "0 0 1 34 0", 5),
    Column("FLAT_FIELD_CORRECTION_FLAG", "CHARACTER", 1, "0"),
    Column("SHUTTER_EFFECT_CORRECTION_FLAG", "CHARACTER", 1, "1"),
    Column("PIXEL_AVERAGING_HEIGHT", "ASCII_INTEGER", 4, "1"),
    Column("PIXEL_AVERAGING_WIDTH", "ASCII_INTEGER", 4, "1"),
)
"""Of the standard volumes: po, no, ho, mo."""

_NOT_IN_DESCENT: Final = frozenset({
    "PATH_NAME", "FILE_NAME", "INST_CMPRS_RATIO", "INST_CMPRS_MODE", "INST_CMPRS_FILTER", "ERROR_PIXELS",
    "REFERENCE_COORD_SYSTEM_NAME",
})  # fmt: skip

DESCENT_COLUMNS: Final = tuple(column for column in COLUMNS if column.name not in _NOT_IN_DESCENT)
"""Of the descent camera's volumes: do."""


def index_label(record_bytes: int = STANDARD_BYTES, n_rows: int = 1) -> str:
    """Return `edrindex.lbl`; 773 bytes a record mean the descent camera's columns."""
    columns = DESCENT_COLUMNS if record_bytes == DESCENT_BYTES else COLUMNS
    lines = [
        "PDS_VERSION_ID                = PDS3",
        "RECORD_TYPE                   = FIXED_LENGTH",
        f"RECORD_BYTES                  = {record_bytes}",
        f"FILE_RECORDS                  = {n_rows}",
        '^INDEX_TABLE                  = "EDRINDEX.TAB"',
        'MISSION_NAME                  = "MARS EXPLORATION ROVER"',
        'DESCRIPTION                   = "This index file lists information',
        '                                 about each EDR on the volume."',
        "",
        "OBJECT                        = INDEX_TABLE",
        "  INTERCHANGE_FORMAT          = ASCII",
        f"  ROW_BYTES                   = {record_bytes}",
        f"  ROWS                        = {n_rows}",
        f"  COLUMNS                     = {len(columns)}",
    ]
    start = 1
    for number, column in enumerate(columns, start=1):
        quote = column.kind == "CHARACTER"
        lines += _column_lines(number, column, start + quote)
        start += column.n_items * (column.n_bytes + 2 * quote + 1)
    return "\n".join([*lines, "", "END_OBJECT                    = INDEX_TABLE", "", "END", ""])


def _column_lines(number: int, column: Column, start_byte: int) -> list[str]:
    # The archive's own label is one byte early at SEQUENCE_ID: it counts the quote.
    start_byte -= column.name == "SEQUENCE_ID"
    values = {"COLUMN_NUMBER": number, "NAME": column.name, "DATA_TYPE": column.kind, "START_BYTE": start_byte}
    values["BYTES"] = column.n_items * (column.n_bytes + 1) - 1
    if column.n_items > 1:
        values |= {"ITEMS": column.n_items, "ITEM_BYTES": column.n_bytes, "ITEM_OFFSET": column.n_bytes + 1}
    described = [f"    {key:<26}= {value}" for key, value in values.items()]
    described += [f'    DESCRIPTION               = "What {column.name.lower()}', '         = says, END_OBJECT aside."']
    return ["", "  OBJECT                      = COLUMN", *described, "  END_OBJECT                  = COLUMN"]


def index_row(*, descent: bool = False, **fields: str | int | float) -> bytes:
    """Return one row of `edrindex.tab`. Fields that are not given have the values of mer1po_0xxx's first row.

    The items of ROVER_MOTION_COUNTER are separated by blanks. Raises ValueError for a value that is too long or a field
    that the index does not have.
    """
    columns = DESCENT_COLUMNS if descent else COLUMNS
    if unknown := set(fields) - {column.name for column in columns}:
        raise ValueError(f"the index has no {', '.join(sorted(unknown))}")
    row = "\t".join(_padded(column, str(fields.get(column.name, column.default))) for column in columns) + "\n"
    return row.encode("latin-1")


def _padded(column: Column, value: str) -> str:
    items = value.split() if column.n_items > 1 else [value]
    if len(items) != column.n_items or max(map(len, items)) > column.n_bytes:
        raise ValueError(f"{column.name} cannot hold {value!r}")
    padded = [item.ljust(column.n_bytes) for item in items]
    return "\t".join(f'"{each}"' if column.kind == "CHARACTER" else each for each in padded)


_INSTRUMENTS: Final = {"P": "PANCAM", "N": "NAVCAM", "F": "FRONT_HAZCAM", "R": "REAR_HAZCAM", "M": "MI", "E": "DESCAM"}
_VOLUMES: Final = {"P": "po", "N": "no", "F": "ho", "R": "ho", "M": "mo", "E": "do"}
_EYES: Final = {"L": "LEFT", "R": "RIGHT"}
_IMAGE_TYPES: Final = {"ETH": "THUMBNAIL", "ERP": "REF_PIXELS", "ERS": "ROW_SUM", "ECS": "COL_SUM", "EHG": "HISTOGRAM"}


def volume_of(product_id: str) -> str:
    """Return the volume that holds a product, such as mer1po_0xxx."""
    return f"mer{product_id[0]}{_VOLUMES[product_id[1].upper()]}_0xxx"


def product_row(product_id: str, sol: int, **fields: str | int | float) -> bytes:
    """Return the row of a product: volume, path, instrument, filter and clock as its name says.

    Other fields may be given; those of time are the first row's unless given.
    """
    name = product_id.upper()
    volume, kind, eye = volume_of(name), name[1], _EYES.get(name[23], "")
    instrument = f"{_INSTRUMENTS[kind]}_{eye}" if kind in "PNFR" and eye else _INSTRUMENTS[kind]
    known: dict[str, str | int | float] = {
        "VOLUME_ID": volume,
        "DATA_SET_ID": f"MER{name[0]}-M-{instrument.split('_')[0]}-2-EDR-OPS-V1.0",
        "INSTRUMENT_HOST_ID": f"MER{name[0]}",
        "INSTRUMENT_ID": instrument,
        "PATH_NAME": f"/{volume}/data/sol{sol:04d}/edr/",
        "FILE_NAME": f"{name.lower()}.img",
        "PRODUCT_ID": name,
        "PLANET_DAY_NUMBER": sol,
        "SPACECRAFT_CLOCK_START_COUNT": f"{name[2:11]}.621",
        "SPACECRAFT_CLOCK_STOP_COUNT": f"{name[2:11]}.841",
        "SEQUENCE_ID": name[18:23].lower(),
        "IMAGE_TYPE": _IMAGE_TYPES.get(name[11:14], "REGULAR"),
        "FILTER_NAME": f"PANCAM_{name[23:25]}" if kind == "P" else "NONE",
        "FILTER_NUMBER": name[24],
        "FRAME_ID": eye or "MONO",
    } | fields
    descent = kind == "E"
    return index_row(descent=descent, **{k: v for k, v in known.items() if not (descent and k in _NOT_IN_DESCENT)})
