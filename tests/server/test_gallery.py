"""The routes of the templates gallery: what can be asked, and pictures of answers."""

from __future__ import annotations

import urllib.request

from tests.server.test_routes import refused
from tests.support.jupyter import Jupyter
from tests.support.templates import write_template
from workspace_ext.protocol.validation import validate


def test_what_can_be_asked(plain: Jupyter) -> None:
    plain.request("POST", "/investigation/investigations", {"title": "Makes the store"})

    gallery = plain.request("GET", "/investigation/gallery", user="carol")  # who may only read

    validate("messages", gallery, definition="Gallery")
    assert "latency.shift" in {template["id"] for template in gallery["templates"]}
    assert refused(plain, "GET", "/investigation/gallery", user=None)[0] == 403


def test_a_picture_is_sent_as_one_and_may_run_nothing(plain: Jupyter) -> None:
    plain.request("POST", "/investigation/investigations", {"title": "Makes the store"})
    path = write_template(plain.store / "templates")
    path.with_suffix(".example.svg").write_text("<svg/>")
    address = f"{plain.url}/investigation/gallery/cart.slow/picture"
    headers = {"Authorization": f"token {plain.tokens['carol']}"}

    with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as answer:
        assert answer.read() == b"<svg/>"
        assert answer.headers["Content-Type"] == "image/svg+xml"
        assert "sandbox" in answer.headers["Content-Security-Policy"]

    missing = "/investigation/gallery/series.onset/picture"
    status, error = refused(plain, "GET", missing.replace("onset", "onste"))
    assert (status, error["code"]) == (404, "unknown_template")
