"""Ranks and tails: what tests that mind neither unit nor wild values are made of."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]


def ranks_of(values: Floats) -> Floats:
    """Ranks from 1; equal values share their mean rank."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Floats = (last - (counts - 1) / 2)[place]
    return ranks


def tail_of_student(t: float, degrees: float) -> float:
    """Both tails of Student's distribution, by a normal approximation (Wallace, 1959).

    Args:
        t: How many standard errors away.
        degrees: The degrees of freedom, above 0.
    """
    w = math.sqrt(degrees * math.log1p(t * t / degrees)) * (8 * degrees + 1) / (8 * degrees + 3)
    return math.erfc(w / math.sqrt(2))
