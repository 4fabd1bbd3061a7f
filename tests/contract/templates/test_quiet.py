"""Where nothing is wrong, templates are quiet: of all that are asked, next to none cries wolf.

`python -m tests.benchmarks.quiet` asks in more worlds, and says who cried, and what.
"""

from __future__ import annotations

import pytest

from tests.support.quiet import SHAPES, alarms
from workspace_ext.inquiry.templates.library import TemplateLibrary, default_paths

LIBRARY = [
    template
    for template in TemplateLibrary(default_paths()).list()
    if not any(param.required for param in template.params.values())
]


@pytest.mark.parametrize("shape", SHAPES)
def test_next_to_none_cries_wolf(shape: str) -> None:
    cried = [told for seed in (0, 1) for told in alarms(LIBRARY, SHAPES[shape], seed)]

    assert len(LIBRARY) >= 30
    assert len(cried) <= 1, cried
