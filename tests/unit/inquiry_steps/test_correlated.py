"""Quantiles of short series, as numpy has them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workspace_ext.inquiry.steps.correlated import quantile


@given(
    st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=130),
    st.floats(0.0, 1.0),
)
def test_a_quantile_is_numpys_to_the_last_bit(values: list[float], share: float) -> None:
    ordered = np.sort(np.asarray(values))
    rows = np.stack([np.append(ordered, np.nan)])
    assert quantile(rows, np.array([len(values)]), share)[0] == np.quantile(ordered, share)
