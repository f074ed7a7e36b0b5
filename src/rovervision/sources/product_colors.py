"""What kind of colour a picture has, as the codes in its product name tell it.

One of five words: `color`; `mosaic`, a Bayer pattern that looks gray; `gray`, one broad band; `narrow_band`, one band
of a science filter; `unknown`. The name is a promise, not a measurement: look at the pixels before you trust it.
"""

from typing import Final

_MMM_COLOR: Final = frozenset("EFIMNQRT")
_MMM_MOSAIC: Final = frozenset("ABCJK")
_MMM_GRAY: Final = frozenset("DHLPSU")

_BAYER_SENSORS: Final = frozenset({"mastcam_left", "mastcam_right", "mahli", "mardi"})

_M20_GRAY_SENSORS: Final = frozenset({"SC", "PC"})
_M20_FILTERS: Final = {
    "E": "mosaic",
    "F": "color",
    "R": "gray", "G": "gray", "B": "gray",  # one band of a colour picture
    "A": "gray", "D": "gray",  # the upper or the lower green cells
    "M": "gray",
}  # fmt: skip
_M20_AS_RECEIVED: Final = frozenset({"ECM", "ECV", "ECZ", "ECR", "EJP", "EDR"})
_M20_DEMOSAICED: Final = frozenset({"EBY", "RZS"})
_M20_PICTURES: Final = _M20_AS_RECEIVED | _M20_DEMOSAICED | {"FDR", "RAD", "IOF"}

_MER_PICTURES: Final = frozenset(
    {"EFF", "ESF", "EDN", "ETH", "FFL", "SFL", "DNL", "THN", "ILF", "ISF", "INN", "ITH"}
    | {"RAD", "RAL", "MRD", "MRL", "IOF", "IOL", "IFF", "IFL", "IFS", "CCD", "CCL", "CFD", "CFL"}
)


def color_of_msl_engineering(camera: str) -> str:
    """Return the kind of colour of an image in the engineering cameras' grammar (MSL Camera SIS).

    Navcam, Hazcam and ChemCam RMI have monochrome sensors. The grammar can also name the Bayer cameras, and does not
    tell whether such a product was demosaiced.
    """
    return "unknown" if camera in _BAYER_SENSORS else "gray"


def color_of_mmm(product_type: str, processing: str) -> str:
    """Return the kind of colour of a Mastcam, MAHLI or MARDI image.

    Args:
        product_type: The type character (MMM DPSIS). JPEG colour was demosaiced on board; raster and lossless keep the
            Bayer pattern; for raster thumbnails (G, O) nothing is stated.
        processing: The four processing characters. `DR..`, calibrated, is demosaiced: all 556 `DRCL` images of type B
            or C in the labelled MSL set are in colour. It makes no colour of JPEG gray (142 of 142 stayed gray).
    """
    if product_type in _MMM_MOSAIC:
        return "color" if processing.startswith("DR") else "mosaic"
    if product_type in _MMM_COLOR:
        return "color"
    return "gray" if product_type in _MMM_GRAY else "unknown"


def color_of_m20(instrument: str, filter_character: str, product_type: str, compression: str) -> str:
    """Return the kind of colour of a Mars 2020 or Ingenuity image (Camera SIS D-99960).

    Mastcam-Z and SHERLOC count filters or lamps with digits, all other cameras say in a letter what the pixels are.
    For digits the compression decides: a JPEG quality of two digits means that the camera demosaiced, L. that the
    mosaic came down whole. Measured: ZL0..LUJ is an RGGB mosaic stored as gray, ZL0..85J is in colour. That WATSON, of
    the same make, follows the same rule is an inference.
    """
    if product_type not in _M20_PICTURES:
        return "unknown"
    if instrument in _M20_GRAY_SENSORS:
        return "gray"
    if filter_character in _M20_FILTERS:
        return _M20_FILTERS[filter_character]
    if instrument[0] == "Z" and filter_character in set("1234567"):
        return "narrow_band"
    is_white_mastcamz = instrument[0] == "Z" and filter_character == "0"
    is_watson = instrument == "SI" and filter_character in set("0123")
    if is_white_mastcamz or is_watson:
        return _color_by_compression(product_type, compression)
    return "unknown"


def _color_by_compression(product_type: str, compression: str) -> str:
    if product_type in _M20_DEMOSAICED or compression.isdigit():
        return "color"
    is_whole = compression in {"LU", "LI", "LL", "LM"}
    return "mosaic" if is_whole and product_type in _M20_AS_RECEIVED else "unknown"


def color_of_mer(instrument: str, eye: str, filter_digit: str, product_type: str) -> str:
    """Return the kind of colour of a Spirit or Opportunity image: all sensors are monochrome (MER Camera SIS).

    Pancam's wheels hold narrow-band filters, two of them solar, except the left eye's first place, which is empty (Bell
    and others 2003, table 4). Products that are no pictures, such as ranges or reference pixels, are unknown.
    """
    if product_type not in _MER_PICTURES:
        return "unknown"
    is_open = filter_digit == "0" or (eye, filter_digit) == ("left", "1")
    return "gray" if instrument != "P" or is_open else "narrow_band"
