"""The schemas are valid, and say the same as the Python types of the same messages."""

import types
import typing
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from workspace_ext.foundation.errors import BadInput
from workspace_ext.protocol import archives, hypotheses, messages, people, provenance, templates
from workspace_ext.protocol.validation import schema, validate

NAMES = ["messages", "events", "metadata"]
TYPES = {
    name: found
    for name, found in {
        **vars(archives),
        **vars(messages),
        **vars(hypotheses),
        **vars(people),
        **vars(provenance),
        **vars(templates),
    }.items()
    if typing.is_typeddict(found) and name != "NotRequired"
}


@pytest.mark.parametrize("name", NAMES)
def test_schema_is_a_schema_and_its_references_lead_somewhere(name: str) -> None:
    document = schema(name)
    Draft202012Validator.check_schema(document)

    def references(value: Any) -> list[str]:
        if isinstance(value, list):
            return [ref for item in value for ref in references(item)]
        if not isinstance(value, dict):
            return []
        own = [value["$ref"]] if "$ref" in value else []
        return own + [ref for item in value.values() for ref in references(item)]

    for reference in references(document):
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        assert isinstance(found, dict)


@pytest.mark.parametrize("name", sorted(TYPES))
def test_message_has_the_fields_of_its_type(name: str) -> None:
    definition = schema("messages")["$defs"][name]
    hints = typing.get_type_hints(TYPES[name], include_extras=True)
    optional = {key for key, hint in hints.items() if typing.get_origin(hint) is typing.NotRequired}
    if not TYPES[name].__total__:
        optional = set(hints)
    assert set(definition["properties"]) == set(hints)
    assert set(definition.get("required", ())) == set(hints) - optional
    for key, hint in hints.items():
        inner = typing.get_args(hint)[0] if typing.get_origin(hint) is typing.NotRequired else hint
        assert _may_be_null(definition["properties"][key]) == _optional(inner), key
        if typing.get_origin(inner) is typing.Literal:
            assert definition["properties"][key]["enum"] == list(typing.get_args(inner))


def _optional(hint: Any) -> bool:
    return isinstance(hint, types.UnionType) and type(None) in typing.get_args(hint)


def _may_be_null(part: dict[str, Any]) -> bool:
    listed = part.get("type")
    if isinstance(listed, list):
        return "null" in listed
    return {"type": "null"} in part.get("anyOf", [])


def test_delta_has_the_fields_of_a_state() -> None:
    defined = schema("messages")["$defs"]
    state, change = defined["InvestigationState"], defined["InvestigationDelta"]
    assert state["properties"] == change["properties"]


def test_wrong_message_names_place_and_rule() -> None:
    with pytest.raises(BadInput, match=r"Note: \$\.kind: 'remark'") as raised:
        validate("messages", {"id": "1", "kind": "remark"}, definition="Note")
    assert "messages.schema.json" in raised.value.hint
