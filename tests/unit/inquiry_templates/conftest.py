from pathlib import Path

import pytest

from tests.support.templates import write_template
from workspace_ext.inquiry.templates.header import parse
from workspace_ext.inquiry.templates.model import Template


@pytest.fixture
def template(tmp_path: Path) -> Template:
    path = write_template(tmp_path)
    return parse(path.read_bytes(), path)
