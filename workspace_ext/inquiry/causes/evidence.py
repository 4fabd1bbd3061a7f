"""How sure it is that something happens more often than it did.

The measure is the Bayes factor of "two rates" against "one rate", for k of n before and after,
with Jeffreys' prior on each rate. It holds for small counts, and between m comparisons a factor
of m is where looking begins: even odds, when one of the m is expected to have changed.
R. E. Kass, A. E. Raftery, "Bayes Factors", J. American Statistical Association 90 (1995).
"""

from __future__ import annotations

from math import lgamma

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def log_bayes_factor(k0: Counts, n0: Counts, k1: Counts, n1: Counts) -> Floats:
    """Natural logarithm of the factor for ``k0`` of ``n0`` before and ``k1`` of ``n1`` after."""
    if n0.size == 0:
        return np.zeros(n0.shape)
    top = int(n0.max() + n1.max()) + 1
    half = np.cumsum(np.concatenate([[lgamma(0.5)], np.log(np.arange(top) + 0.5)]))
    whole = np.cumsum(np.concatenate([[0.0], np.log(np.arange(1, top + 1))]))

    def log_beta(k: Counts, n: Counts) -> Floats:
        value: Floats = half[k] + half[n - k] - whole[n]
        return value

    apart = log_beta(k0, n0) + log_beta(k1, n1) - 2 * lgamma(0.5)
    factor: Floats = apart - log_beta(k0 + k1, n0 + n1)
    return factor
