"""Which errors become a sentence, however deep they lie."""

import errno

import pytest
from kedro.io import DatasetError

from rovervision.cli import readable
from rovervision.errors import RovervisionError


def wrapped(cause: Exception) -> Exception:
    try:
        try:
            raise cause
        except Exception as error:
            raise DatasetError("Failed while saving data to dataset X") from error
    except DatasetError as error:
        return error


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_disk_that_takes_nothing_more_is_named(code):
    sentence = readable(wrapped(OSError(code, "whatever", "data/03_primary/tiles/pixels.npy")))
    assert "data/03_primary/tiles/pixels.npy" in sentence
    assert "What was saved stays" in sentence


def test_our_own_sentence_wins_over_its_wrapping():
    assert readable(wrapped(RovervisionError("Plain words."))) == "Plain words."


def test_a_defect_of_ours_stays_a_traceback():
    assert readable(ZeroDivisionError("division by zero")) is None
