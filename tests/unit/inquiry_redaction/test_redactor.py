"""What is taken out, what stays, and what a mark tells."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspace_ext.foundation.errors import BadInput
from workspace_ext.inquiry.archive.container import NOTEBOOK
from workspace_ext.inquiry.archive.redacting import NAMES, redact_entries, redact_notebook
from workspace_ext.inquiry.redaction.patterns import PATTERNS
from workspace_ext.inquiry.redaction.policy import make_policy, read_policy
from workspace_ext.inquiry.redaction.redactor import Redactor
from workspace_ext.inquiry.redaction.tables import TableRedactor

KEY = b"k" * 32
SECRETS = {
    "private_key": "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
    "bearer_token": "mF_9.B5f-4.1JqMAbcdefgh",
    "aws_key": "AKIAIOSFODNN7EXAMPLE",
    "service_token": "ghp_" + "a1B2" * 9,
    "url_password": "s3cr3t",
    "named_secret": "hunter22",
    "email": "ada.lovelace+x@mail.example.org",
    "card_number": "4111 1111 1111 1111",
    "ip_address": "10.1.2.3",
}
AROUND = {
    "bearer_token": "Authorization: Bearer {}",
    "url_password": "postgres://app:{}@db:5432/shop",
    "named_secret": "connect(password='{}')",
}
HARMLESS = [
    "4111 1111 1111 1112 is no card",
    "trace 4bf92f3577b34da6a3ce929d0e0e4736, span 00f067aa0ba902b7",
    "1714557600000000000 ns, 5212.7 ms, 2024-05-01T10:00:00Z",
    "token = tokens[0]; password = getpass()",
    "a @ b, model.T@x, @decorator",
    "https://example.org:8080/path?x=1",
    "basic auth is on",
    "3ac2b1d4-4111-4111-8111-111111111111",
]


def redactor(**policy: Any) -> Redactor:
    return Redactor(make_policy(policy), KEY)


@pytest.mark.parametrize("rule", SECRETS)
def test_a_secret_leaves_a_mark_and_only_itself_is_gone(rule: str) -> None:
    found = redactor(patterns={rule: True})
    around = f"before {AROUND.get(rule, '{}')} after"
    text = found.text(around.format(SECRETS[rule]), "f")
    assert re.fullmatch(
        re.escape(around).replace(r"\{\}", rf"\[redacted:{rule}:[0-9a-f]{{16}}\]"), text
    )
    assert found.report()["rules"] == {rule: {"places": 1, "values": 1}}
    assert found.text(text, "f") == text, "a mark is nothing to take out"


@pytest.mark.parametrize("rule", SECRETS)
def test_the_quick_look_over_a_column_misses_none(rule: str) -> None:
    texts = ["nothing", None, f"in {AROUND.get(rule, '{}').format(SECRETS[rule])}", "nothing"]
    found = redactor(patterns={rule: True})
    left = TableRedactor(found, "f", "logs").batch(table(body=pa.array(texts)))["body"].to_pylist()
    assert left == [
        text if text is None else redactor(patterns={rule: True}).text(text, "f") for text in texts
    ]
    assert left[2] != texts[2]


ASCII = st.characters(codec="ascii")


@given(
    st.sampled_from(PATTERNS).flatmap(
        lambda each: st.tuples(
            st.just(each), st.from_regex(each.regex.pattern, fullmatch=True, alphabet=ASCII)
        )
    )
)
def test_whatever_a_pattern_finds_the_quick_look_lets_through(found: tuple[Any, str]) -> None:
    pattern, text = found
    if pattern.regex.search(text):
        assert pc.match_substring_regex(pa.scalar(text), pattern.hint).as_py()


COLOURED = (
    "password\x1b[39m \x1b[38;5;241m=\x1b[39m \x1b[33m'\x1b[39m\x1b[33m{}\x1b[39m\x1b[33m'\x1b[39m"
)


@pytest.mark.parametrize(
    "around",
    [
        COLOURED,
        '{{"said": "{{\\"password\\": \\"{}\\"}}"}}',
        "<td>password=&quot;{}&quot;</td>",
        "<td>&#x27;password&#x27;: &#x27;{}&#x27;</td>",
    ],
)
def test_a_secret_is_found_however_it_was_written(around: str) -> None:
    left = redactor().text(around.format("hunter22"), "f")
    assert "hunter22" not in left
    assert "[redacted:named_secret:" in left


def test_colours_go_only_with_what_they_hide() -> None:
    found, plain = redactor(columns=["logs.user"]), "\x1b[31mcart\x1b[0m is slow"
    found.whole("Grace", "f")
    assert found.text(plain, "f") == plain
    assert found.text(f"\x1b[32mGrace\x1b[0m: {plain}", "f").endswith("]: cart is slow")
    assert found.report()["rules"] == {"policy": {"places": 2, "values": 1}}


def test_a_word_under_the_name_of_a_secret_is_one() -> None:
    found = redactor()
    tree = {"db.password": "hunter22", "token": "two words", "tokens": "hunter22", "pin": 5}
    left = found.tree(tree, "f")
    assert left == {**tree, "db.password": found.mark("hunter22", "named_secret", "f")}
    assert redactor(keep=["hunter22"]).tree(tree, "f") == tree
    assert redactor(patterns={"named_secret": False}).tree(tree, "f") == tree
    pairs = pa.array([[("db.password", "hunter22"), ("k", "v")]], pa.map_(pa.string(), pa.string()))
    rows = TableRedactor(found, "f", "logs").batch(table(attributes=pairs))
    assert "hunter22" not in str(rows.to_pylist())
    answer = table(
        api_key=pa.array(["hunter22", None]), deep=pa.array([{"password": "hunter22"}] * 2)
    )
    assert "hunter22" not in str(TableRedactor(found, "f").batch(answer).to_pylist())


def test_keys_that_nobody_fixed_are_searched() -> None:
    found = redactor()
    output = {"output_type": "display_data", "data": {"application/json": {"ada@example.org": 1}}}
    cell = {"cell_type": "code", "source": "", "outputs": [output]}
    assert "example.org" not in str(redact_notebook(found, {"cells": [cell]}).content)
    kinds = pa.map_(pa.string(), pa.map_(pa.int64(), pa.string()))
    sent = pa.array([[("seen:ada@example.org", [(1, "x")]), ("http.route", [(2, "y")])]], kinds)
    for name in ("logs", ""):  # as in a slice, and as in a result
        (row,) = TableRedactor(found, "f", name).batch(table(attributes=sent)).to_pylist()
        (key, inner), other = row["attributes"]
        assert key == f"seen:{found.mark('ada@example.org', 'email', 'f')}"
        assert (inner, other) == ([(1, "x")], ("http.route", [(2, "y")]))


def test_what_people_named_as_the_record_does_is_searched_all_the_same() -> None:
    window = {"start": "2024-05-01T10:00:00Z", "end": "2024-05-01T11:00:00Z"}
    params = {"id": "ada@example.org", "cell": ["ada@example.org"], "window": window, "n": 3}
    tree = {"id": "1234", "params": params, "test": {"expect": "max(user) = 'ada@example.org'"}}
    left = redactor(regexes={"year": r"\d{4}"}).tree(tree, "f", NAMES)
    assert left["id"] == "1234"
    assert "example.org" not in str(left)
    assert (left["params"]["window"], left["params"]["n"]) == (window, 3)


def test_the_name_of_a_file_goes_from_the_header_too() -> None:
    entry: Any = {"seq": 3, "type": "file.read", "subject": "ada@example.org.csv", "rationale": ""}
    entry["data"] = {"name": "ada@example.org.csv", "size": 1, "digest": "sha256:00"}
    (left,), changed = redact_entries(redactor(), [entry])
    assert "example.org" not in str(left)
    assert changed["3"]["header"] is True


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert redactor().text(text, "f") == text


def test_equal_values_have_equal_marks_of_this_store_alone() -> None:
    mail = SECRETS["email"]
    one, two = redactor().text(mail, "a"), redactor().text(f"{mail},{mail}", "b")
    assert two == f"{one},{one}"
    assert Redactor(make_policy(), b"x" * 32).text(mail, "a") != one
    assert redactor().text("b@example.org", "a") != one


def test_what_the_policy_keeps_stays() -> None:
    kept = redactor(keep=["ada@example.org"])
    assert kept.text("ada@example.org", "f") == "ada@example.org"
    assert Redactor(make_policy(), KEY, ["eve@x.org"]).text("eve@x.org", "f") == "eve@x.org"
    assert redactor(patterns={"email": False}).text("a@example.org", "f") == "a@example.org"


def test_json_loses_attributes_and_what_stands_elsewhere_of_them() -> None:
    found = redactor(attributes=["user"], regexes={"customer": r"cust-(?P<value>\d{6})"})
    tree = {"user": "Ada", "n": 5, "list": ["cust-123456", None], "deep": {"user": ["Grace", 7]}}
    left = found.tree(tree, "f")
    assert left["n"] == 5
    assert left["deep"]["user"][1] is None
    assert re.fullmatch(r"cust-\[redacted:customer:\w{16}\]", left["list"][0])
    assert "Grace" not in found.text("said Grace to Ada", "f")
    assert "Ada" in found.text("said Grace to Ada", "f"), "too short to be looked for"
    lines = ["-----BEGIN PRIVATE KEY-----\n", "MIIE\n", "-----END PRIVATE KEY-----"]
    assert "MIIE" not in "".join(found.tree(lines, "f"))
    assert found.tree({"id": "a@example.org"}, "f", frozenset({"id"})) == {"id": "a@example.org"}


def table(**columns: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(columns)


def test_tables_lose_values_however_deep_and_columns_of_the_policy() -> None:
    kind = pa.list_(pa.struct([("name", pa.string()), ("more", pa.map_(pa.string(), pa.string()))]))
    deep = [[{"name": "x", "more": [("k", "a@example.org"), ("user", "Ada")]}], None, []]
    batch = table(
        body=pa.array(["hello", "mail b@example.org", None]),
        user=pa.array(["Grace", None, "Grace"]),
        amount=pa.array([1, None, 3]),
        trace_id=pa.array(["4111111111111111"] * 3),
        plain=pa.array(["a", "b", "c"]),
        deep=pa.array(deep, kind),
    )
    found = redactor(attributes=["user"], columns=["logs.user", "amount", "spans.plain"])
    rows = TableRedactor(found, "f", "logs")
    left = rows.batch(batch)
    assert rows.changed == {"body", "user", "amount", "deep"}
    assert left.schema == batch.schema
    assert left["body"][1].as_py().startswith("mail [redacted:email:")
    assert left["user"][0] == left["user"][2] != batch["user"][0]
    assert left["amount"].null_count == 3
    assert "example.org" not in str(left["deep"].to_pylist())
    assert "Ada" not in str(left["deep"].to_pylist())
    for name in ("trace_id", "plain"):
        assert left[name] == batch[name]


def test_a_table_without_secrets_is_the_very_same() -> None:
    batch = table(a=pa.array(["x", None]), b=pa.array([1, 2]))
    rows = TableRedactor(redactor(), "f")
    assert rows.batch(batch).column(0) is batch.column(0) or rows.batch(batch) == batch
    assert rows.changed == set()


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ({"colums": []}, "colums"),
        ({"patterns": {"mails": True}}, "mails"),
        ({"patterns": {"email": "maybe"}}, "email"),
        ({"patterns": ["email"]}, "patterns is no map"),
        ({"columns": "body"}, "columns is no list"),
        ({"keep": [1]}, "keep is no list"),
        ({"regexes": {"a": "("}}, "the regex a"),
        ({"regexes": {"a": "x*"}}, "matches everything"),
        ({"regexes": {"a b": "x"}}, "cannot have the name"),
    ],
)
def test_a_wrong_policy_is_told(policy: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput, match=re.escape(told)):
        make_policy(policy)


def test_of_two_policies_the_last_decides_on_patterns_and_both_add(tmp_path: Any) -> None:
    one = {"patterns": {"email": False}, "columns": ["a"]}
    both = make_policy(one, {"patterns": {"email": True}, "columns": ["b"]})
    assert "email" in both.to_dict()["patterns"]
    assert both.columns == {"a", "b"}
    path = tmp_path / "p.yaml"
    path.write_text("patterns: {ip_address: on}\n")
    assert "ip_address" in make_policy(read_policy(path)).to_dict()["patterns"]
    for text in ("- a", "a: [", "\x00"):
        path.write_text(text)
        with pytest.raises(BadInput, match=r"p\.yaml"):
            read_policy(path)
    path.write_text("")
    assert read_policy(path) == {}


def test_a_picture_goes_with_what_its_text_loses() -> None:
    chart, words = "application/vnd.vegalite.v5+json", {"text/plain": "[chart: user by n]"}

    def left(name: str, kind: str = chart) -> tuple[set[str], Redactor]:
        data = {kind: {"data": {"values": [{"user": name}]}}, **words, "image/png": "aGVyZQ=="}
        cell = {"cell_type": "code", "outputs": [{"output_type": "display_data", "data": data}]}
        found = redactor()
        redacted = redact_notebook(found, {"cells": [cell]})
        return set(redacted.content["cells"][0]["outputs"][0]["data"]), found

    shown, found = left("ada@example.org")
    assert shown == {chart, "text/plain"}
    assert found.report()["files"][NOTEBOOK] == {"email": 1, "picture": 1}
    shown, found = left("cart")
    assert "image/png" in shown
    assert not found.unseen, "its words were looked into"
    shown, found = left("cart", "application/x-other")
    assert "image/png" in shown
    assert found.unseen == {NOTEBOOK: 1}
