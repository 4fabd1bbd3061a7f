"""Quantiles of short series, as numpy has them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workspace_ext.inquiry.steps.correlated import _quantile


@given(
    st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=130),
    st.floats(0.0, 1.0),
)
def test_a_quantile_is_numpys_to_the_last_bit(values: list[float], share: float) -> None:
    ordered = np.sort(np.asarray(values))
    assert _quantile(ordered, share) == np.quantile(ordered, share)
