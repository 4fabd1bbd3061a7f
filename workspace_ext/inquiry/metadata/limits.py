"""How much a notebook may carry: JupyterLab sends a cell's whole metadata with every run."""

from __future__ import annotations

from typing import Any

from workspace_ext.foundation.canonical import canonical_json

CELL_BYTES = 1024
NOTEBOOK_BYTES = 16 * 1024

_SHORT = 40
_TEXT = 200
_EVIDENCE = 20


def fit_cell(cell: dict[str, Any]) -> dict[str, Any]:
    """A cell's metadata within its size: long parameters are shortened, then left out."""
    if _size(cell) <= CELL_BYTES:
        return cell
    template = dict(cell.get("template") or {})
    params = dict(template.get("params") or {})
    fitted = {**cell, "template": {**template, "params": params}, "trimmed": []}
    for shorten in (_cut, None):
        for name in sorted(params, key=lambda key: (-_size(params[key]), key)):
            if _size(fitted) <= CELL_BYTES:
                return fitted
            if shorten is None:
                del params[name]
            else:
                params[name] = shorten(params[name])
            fitted["trimmed"] = sorted({*fitted["trimmed"], name})
    if _size(fitted) > CELL_BYTES:
        fitted["trimmed"] = ["params"]
    for part in ("template", "hypothesis", "last"):
        if _size(fitted) > CELL_BYTES and fitted.pop(part, None):
            fitted["trimmed"] = [*fitted["trimmed"], part]
    return fitted


def fit_notebook(notebook: dict[str, Any]) -> dict[str, Any]:
    """A notebook's metadata within its size: the oldest hypotheses are shortened, then left out."""
    if _size(notebook) <= NOTEBOOK_BYTES:
        return notebook
    fitted = dict(notebook)
    conclusion = notebook.get("conclusion")
    if conclusion:
        cause, evidence = conclusion["root_cause"], conclusion["evidence"]
        shorter = {"root_cause": _shortened(cause, 5 * _TEXT), "evidence": evidence[-_EVIDENCE:]}
        fitted["conclusion"] = {**conclusion, **shorter}
    _fit_hypotheses(fitted, keep=conclusion.get("hypothesis") if conclusion else None)
    if conclusion and fitted["conclusion"] != conclusion:
        fitted["trimmed"]["conclusion"] = 1
    for part in ("services", "participants", "templates"):
        if _size(fitted) > NOTEBOOK_BYTES and fitted[part]:
            fitted["trimmed"][part] = len(fitted[part])
            fitted[part] = type(fitted[part])()
    return fitted


def _fit_hypotheses(fitted: dict[str, Any], *, keep: str | None) -> None:
    hypotheses = dict(fitted["hypotheses"])
    trimmed = {"hypotheses": 0, "texts": 0}
    over = _size({**fitted, "trimmed": trimmed}) + len("9999") - NOTEBOOK_BYTES
    for name, found in fitted["hypotheses"].items():
        if over > 0:
            texts = {key: _shortened(found[key], _TEXT) for key in ("text", "prediction")}
            hypotheses[name] = {**found, **texts, "evidence": found["evidence"][-_EVIDENCE:]}
            over -= _size(found) - _size(hypotheses[name])
            trimmed["texts"] += 1
    for name in fitted["hypotheses"]:
        if over > 0 and name != keep:
            over -= _size({name: hypotheses.pop(name)}) - 1  # two braces go, one comma comes
            trimmed["hypotheses"] += 1
    fitted["hypotheses"] = hypotheses
    fitted["trimmed"] = {name: count for name, count in trimmed.items() if count}


def _size(value: Any) -> int:
    return len(canonical_json(value))


def _cut(value: Any) -> Any:
    return value if _size(value) <= _SHORT else _shortened(str(value), _SHORT)


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
