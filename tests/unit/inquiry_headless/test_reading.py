"""Notebook files as they come."""

import json
from pathlib import Path

from workspace_ext.inquiry.headless.notebook import read_notebook


def test_cells_of_an_older_format_get_ids(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "metadata": {}, "source": "1", "outputs": []}
    content = {
        "nbformat": 4,
        "nbformat_minor": 4,
        "metadata": {},
        "cells": [{**cell, "execution_count": None}] * 2,
    }
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps(content), "utf-8")
    notebook = read_notebook(path)
    assert notebook.nbformat_minor == 5
    assert notebook.cells[0].id != notebook.cells[1].id
    assert read_notebook(path) == notebook, "archives of the same file have the same bytes"
