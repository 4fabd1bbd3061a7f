"""Planting: does a template find a fault that was put into realistic noise, and at what cost?

`world` is a small shop in noise, `language` reads the ``plants`` of a fixtures file, `recall` runs
them, `bulk` and `cost` ask over ten million rows. Public: `planted`, `example` and `costs`.
"""

from workspace_ext.inquiry.planting.cost import costs
from workspace_ext.inquiry.planting.recall import example, planted

__all__ = ["costs", "example", "planted"]
