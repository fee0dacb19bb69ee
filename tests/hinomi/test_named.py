"""What the system refuses, in words: one language each, and the place that is meant."""

import errno
import os
from pathlib import Path

import pytest

from hinomi.errors import InputError
from hinomi.named import Unread, why, writing
from hinomi.words import Words


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EBUSY, errno.ETIMEDOUT, errno.EFBIG])
def test_what_a_share_or_a_disk_answers_is_said_in_japanese(number: int) -> None:
    """No English inside the Japanese sentence."""
    assert not why(OSError(number, os.strerror(number))).ja.isascii()


def test_a_refusal_of_our_own_is_said_once_in_each_language() -> None:
    """Its words are those that it was given."""
    reason = why(Unread(errno.EFBIG, Words("大きい", "large")))
    assert (reason.ja, reason.en) == ("大きい", "large")


def test_where_the_folder_is_missing_the_folder_is_named(tmp_path: Path) -> None:
    """Not the file, which nobody expects to be there."""
    path = tmp_path / "none" / "x.csv"
    with pytest.raises(InputError) as caught, writing(path):
        path.open("wb")
    assert f"{path.parent}: フォルダがありません" in str(caught.value)
