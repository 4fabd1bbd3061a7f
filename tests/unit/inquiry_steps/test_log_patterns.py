"""Patterns of lines: what is masked, what is told apart, and that names stay."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from workspace_ext.inquiry.steps.log_patterns import LIST, MASK, Pattern, masked, mine, settle


def texts(lines: list[str]) -> list[str]:
    return [pattern.text for pattern in mine(pa.array(lines)) if pattern]


@pytest.mark.parametrize(
    ("line", "pattern"),
    [
        ("took 35 ms", "took <*> ms"),
        ("took 0.35 s at -12 C", "took <*> s at <*> C"),
        ("from 10.0.3.4:8080 by ::1", "from <*> by ::<*>"),
        ("block blk_-1608999687919862906 gone", "block <*> gone"),
        ("id 7f3c2a10-9b1e-4c55-8a77-0f2e1d3c4b5a done", "id <*> done"),
        ("mask=ffffffff flag=0x1F", "mask=<*> flag=<*>"),
        ("open /var/log/app.log: denied", "open <*>: denied"),
        ("open ./app.cfg, retry", "open <*>, retry"),
        (r"open C:\Temp\a.txt failed", "open <*> failed"),
        ("get https://shop.example/cart?id=7 failed", "get <*> failed"),
        ("mail to ann@shop.example bounced", "mail to <*> bounced"),
        ("mac 00:1a:2B:3c:4D:5e joined", "mac <*> joined"),
        ("at Sun Jul 10 03:55:15 2005 down", "at <*> down"),
        ("codes 1, 2, 3 and 4", "codes <*> and <*>"),
        ("read/write and I/O error", "read/write and I/O error"),
        ("workerEnv.init() ok", "workerEnv.init() ok"),
        ("icbi.........0", "icbi.........<*>"),
        ("", ""),
        ("Ä ☃ 5", "Ä ☃ <*>"),
    ],
)
def test_masks_depend_on_the_line_alone(line: str, pattern: str) -> None:
    assert masked(pa.array([line])).to_pylist() == [pattern]
    assert texts([line]) == [pattern]


def test_names_with_signs_vary_soon_and_plain_words_late() -> None:
    hosts = [f"Lost connection to {name}" for name in ("a.example", "b.example", "c.example")]
    words = ["red", "blue", "green", "grey", "pink"]

    assert set(texts(hosts)) == {"Lost connection to <*>"}
    assert texts(hosts[:2]) == hosts[:2]
    assert texts([f"The lamp is {word} now" for word in words]) == [
        f"The lamp is {word} now" for word in words
    ]
    assert set(texts([f"The lamp is {word} now" for word in [*words, "white"]])) == {
        "The lamp is <*> now"
    }


def test_what_follows_a_label_varies_at_once() -> None:
    assert set(texts(["session of user ann", "session of user bob"])) == {"session of user <*>"}


def test_the_first_word_tells_lines_apart() -> None:
    lines = [f"{name}.service started" for name in "abcdefgh"]

    assert texts(lines) == lines


def test_empty_brackets_are_a_value_where_others_have_one() -> None:
    lines = ["connection from ab.example1 () closed", "connection from x2 (y3) closed"]

    assert len(set(texts(lines))) == 1
    assert texts(["init () ok"]) == ["init () ok"]


def test_no_line_has_no_pattern() -> None:
    assert mine(pa.array([None, "a 1"])) == [None, *mine(pa.array(["a 2"]))]
    assert mine(pa.array([], pa.string())) == []


def test_a_pattern_keeps_its_name_whatever_the_order_and_however_many() -> None:
    kinds = ["job {n} of user {w} done", "host {w}.example is down", "retry {n} for key={w}"]
    words = ["ann", "bob", "cy", "dee", "eve", "flo", "gus", "hal"]
    lines = [
        kind.format(n=number, w=words[number % len(words)])
        for kind in kinds
        for number in range(80)
    ]
    mixed = lines[:]
    random.Random(7).shuffle(mixed)

    first = dict(zip(lines, mine(pa.array(lines)), strict=True))
    again = dict(zip(mixed, mine(pa.array(mixed * 3)), strict=False))

    assert first == again
    assert len(set(first.values())) == len(kinds)
    (one,) = {pattern for line, pattern in first.items() if line.startswith("job")}
    assert one == Pattern("4ff62578f5e6", "job <*> of user <*> done")


def test_masks_are_settled_whatever_their_order() -> None:
    found = settle(["b x.y", "b y.z", "b z.x"])

    assert {pattern.text for pattern in found} == {"b <*>"}
    assert "(?=" not in MASK + LIST  # RE2 cannot look around, and DuckDB runs them too
