"""Each template finds the fault that is planted for it, and is quiet where there is none."""

from __future__ import annotations

import pytest

from workspace_ext.inquiry.planting import planted
from workspace_ext.inquiry.templates.library import TemplateLibrary, default_paths
from workspace_ext.inquiry.templates.model import Template

LIBRARY = TemplateLibrary(default_paths())


@pytest.mark.parametrize("template", LIBRARY.list(), ids=lambda template: template.id)
def test_recall(template: Template) -> None:
    results = list(planted([template.path]))

    assert [f"{each.case}: {each.message}" for each in results if not each.ok] == []
    assert len(results) >= 2
