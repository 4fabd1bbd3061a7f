"""What the broker tells of templates: those that are there, those that are broken, and pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.templates import HEADER, write_template
from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.errors import NotFound
from workspace_ext.protocol.validation import validate

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


def test_each_template_is_told_as_the_protocol_says(client: BrokerClient) -> None:
    listed = client.templates()
    assert listed
    for each in listed:
        validate("messages", each, definition="TemplateInfo")


def test_a_broken_file_is_named_with_its_line(client: BrokerClient, store: Path) -> None:
    header = HEADER.replace("cart.slow", "cart.broken").replace("stable", "stabel")
    path = write_template(store / "templates", header=header, name="cart/broken")

    (problem,) = client.template_problems()
    path.unlink()

    validate("messages", problem, definition="TemplateProblem")
    assert problem["file"] == "cart/broken.sql"
    assert (problem["line"], "stable" in problem["message"]) == (6, True)
    assert client.template_problems() == []


def test_a_picture_lies_beside_its_template(client: BrokerClient, store: Path) -> None:
    path = write_template(store / "templates")
    assert client.template("cart.slow")["picture"] is False
    with pytest.raises(NotFound, match="no picture"):
        client.template_picture("cart.slow")

    path.with_suffix(".example.svg").write_bytes(SVG)

    assert client.template("cart.slow")["picture"] is True
    assert client.template_picture("cart.slow") == SVG
    with pytest.raises(NotFound, match="no template"):
        client.template_picture("cart.slwo")
