"""Help: the list of templates, and one template's question, parameters and limits."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from workspace_ext.protocol.templates import TemplateInfo, TemplateParam
from workspace_kernel.markup import MUTED, aside, table_html, table_text

TEXT_LENGTH = 300


@dataclass(frozen=True)
class TemplateList:
    """All templates with the question that each answers."""

    templates: tuple[TemplateInfo, ...]

    def __len__(self) -> int:
        return len(self.templates)

    def __iter__(self) -> Any:
        return iter(self.templates)

    def _rows(self) -> tuple[list[str], list[list[Any]]]:
        rows = [[each["id"], each["question"], each["status"]] for each in self.templates]
        return ["template", "question", "status"], rows

    def __repr__(self) -> str:
        return table_text(*self._rows(), length=TEXT_LENGTH) if self.templates else "no templates"

    def _repr_html_(self) -> str:
        more = 'Details: <code>investigation.help("…")</code>'
        return f'{table_html(*self._rows(), length=TEXT_LENGTH)}<div style="{MUTED}">{more}</div>'

    def _repr_mimebundle_(self, **_options: Any) -> tuple[dict[str, str], dict[str, Any]]:
        return aside(self)


@dataclass(frozen=True)
class TemplateHelp:
    """One template, explained."""

    template: TemplateInfo

    def _rows(self) -> tuple[list[str], list[list[Any]]]:
        rows = [[p["name"], p["type"], _given(p), p.get("help") or ""] for p in self._params()]
        return ["parameter", "type", "default", "meaning"], rows

    def _params(self) -> list[TemplateParam]:
        return list(self.template["params"])

    def _sections(self) -> list[tuple[str, str]]:
        told = self.template
        meant = told.get("columns", {})
        returns = "; ".join(
            f"{name} ({kind}{': ' * (name in meant)}{meant.get(name, '')})"
            for name, kind in told["returns"].items()
        )
        return [
            ("Interesting when", str(told["interesting"])),
            ("Returns", returns),
            ("Covers", "; ".join(told["covers"])),
            ("Does not cover", "; ".join(told["not_covered"])),
            ("Leads to", "; ".join(each["template"] for each in told.get("next", ()))),
            ("See", "; ".join(map(str, told["references"]))),
        ]

    def __repr__(self) -> str:
        told = self.template
        lines = [f"{told['id']} v{told['version']}: {told['title']}", told["question"], ""]
        if self._params():
            lines += [table_text(*self._rows(), length=TEXT_LENGTH), ""]
        lines += [f"{name}: {value}" for name, value in self._sections() if value]
        return "\n".join([*lines, f"Example: {told['example']}"])

    def _repr_html_(self) -> str:
        told = self.template
        title = f"<b>{escape(told['title'])}</b> <code>{escape(told['id'])}</code>"
        parts = [f"<div>{title} v{told['version']}</div><div>{escape(told['question'])}</div>"]
        if self._params():
            parts.append(table_html(*self._rows(), length=TEXT_LENGTH))
        for name, value in self._sections():
            if value:
                parts.append(f"<div><b>{name}</b> {escape(value)}</div>")
        return "".join([*parts, f"<div><code>{escape(told['example'])}</code></div>"])


def _given(param: TemplateParam) -> str:
    if param["type"] == "window":
        said = "the investigation's"
    elif param["required"]:
        said = "must be given"
    elif param.get("default") is None:
        said = "none"
    else:
        said = repr(param["default"])
    choices = f" ({' | '.join(map(str, param['of']))})" if param.get("of") else ""
    low, high = param.get("min"), param.get("max")
    known = [(sign, limit) for sign, limit in (("≥", low), ("≤", high)) if limit is not None]
    limits = [f"{sign} {limit:g}" for sign, limit in known]
    return f"{said}{choices}" + (f" ({', '.join(limits)})" if limits else "")
