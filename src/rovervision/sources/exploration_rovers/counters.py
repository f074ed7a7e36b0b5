"""The counters in a MER product name: two characters for the site, two for the position within it."""

from string import ascii_uppercase, digits
from typing import Final

_BASE36: Final = digits + ascii_uppercase


def decode_counter(characters: str) -> int | None:
    """Return the number that two characters of a product name stand for; None where they stand for none.

    Two digits are 0 to 99. A letter and a letter or digit go on from 100: 100 + 36 L + v, with L from 0 for A and v the
    second character's value in base 36 (MER Camera SIS; ROVER_MOTION_COUNTER in labels agrees: B2 is 138, ZJ 1019).
    `##`, beyond the range, and everything else is None.
    """
    text = characters.upper()
    if len(characters) != 2 or len(text) != 2 or text[1] not in _BASE36:
        return None
    if text[0] in ascii_uppercase:
        return 100 + 36 * ascii_uppercase.index(text[0]) + _BASE36.index(text[1])
    return int(text) if set(text) <= set(digits) else None
