"""Native steps over the texts of a column, by way of Arrow: they pay where there are hundreds of them."""

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

Codes = npt.NDArray[np.int32]
Rows = npt.NDArray[np.int64]


def encoded(texts: pl.Series) -> tuple[pl.Series, Codes]:
    """Distinct texts, and the code of each element; that of null is their number."""
    made = texts.to_arrow().cast(pa.large_string()).dictionary_encode()
    if isinstance(made, pa.ChunkedArray):
        made = made.unify_dictionaries().combine_chunks()
    codes = made.indices.fill_null(len(made.dictionary)).to_numpy(zero_copy_only=False)
    return pl.Series(made.dictionary, dtype=pl.String), codes.astype(np.int32, copy=False)


def joined(texts: pl.Series, sign: bytes) -> tuple[bytes, Rows]:
    """The texts one behind the other with a sign between each two, and the length of each in bytes."""
    values = texts.to_arrow().cast(pa.large_binary())
    whole = pa.LargeListArray.from_arrays(pa.array([0, len(values)], pa.int64()), values)
    text: bytes = pc.binary_join(whole, pa.scalar(sign, pa.large_binary()))[0].as_py()
    return text, pc.binary_length(values).to_numpy()
