"""The kinds of picture that are hard to read; `python benchmarks/kinds.py` reads a hundred of each."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hard_pictures import KINDS, kind
from PIL import Image


@pytest.mark.parametrize("name", list(KINDS))
def test_a_kind_is_the_same_for_a_seed_and_a_picture_that_can_be_read(name: str) -> None:
    pictures, more = kind(name, 3, 2), kind(name, 3, 3)
    for (picture, truth), (again, told) in zip(pictures, more, strict=False):
        assert truth == told
        assert set(truth) <= set("0123456789\n")
        if isinstance(picture, bytes):
            assert picture == again
            assert Image.open(io.BytesIO(picture)).size[0] > 0
        else:
            assert picture.dtype == np.uint8
            np.testing.assert_array_equal(picture, again)
