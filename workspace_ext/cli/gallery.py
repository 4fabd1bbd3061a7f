"""The page that `templates docs` writes: HTML in one file, or Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workspace_ext.inquiry.templates.model import Template

PLANTED = "planted data"
"""Stands in a picture that is drawn from a planted fault."""


def gallery_markdown(templates: Sequence[Template]) -> str:
    """A page about templates, as Markdown."""
    listed = (f"- [{each.id}](#{_anchor(each.id)}): {each.question}" for each in templates)
    parts = ["# Query templates\n", "\n".join([*listed, ""])]
    for each in templates:
        state = "" if each.status == "stable" else f" ({each.status})"
        parts.append(f"## {each.id}{state}\n\n**{each.title}.** {each.question}\n")
        if each.replaced_by:
            parts.append(f"Ask [{each.replaced_by}](#{_anchor(each.replaced_by)}) instead.\n")
        rows = [
            f"| `{name}` | {kind} | {default} | {text} |"
            for name, kind, default, text in _inputs(each)
        ]
        if rows:
            parts.append(
                "\n".join(["| input | type | default | meaning |", "|---|---|---|---|", *rows, ""])
            )
        if each.requires:
            parts.append(f"Needs: {', '.join(f'`{name}`' for name in each.requires)}.\n")
        parts += [
            f"Interesting when: `{each.interesting}`\n",
            f"Covers: {'; '.join(each.covers)}.\n",
            f"Does not: {'; '.join(each.not_covered)}.\n",
        ]
        if each.next:
            parts.append(f"Leads to: {', '.join(f'`{step.template}`' for step in each.next)}.\n")
        parts.append(f"```python\n{each.example()}\n```\n")
    return "\n".join(parts)


def _anchor(template_id: str) -> str:
    return template_id.replace(".", "")


def gallery_html(templates: Sequence[Template]) -> str:
    """A page about templates, with pictures of examples where there are some; one file."""
    areas: dict[str, list[Template]] = {}
    for each in templates:
        areas.setdefault(each.id.partition(".")[0], []).append(each)
    index = "".join(
        f"<p><b>{escape(area)}</b>"
        + "".join(f'<a href="#{escape(t.id)}">{escape(t.title)}</a>' for t in members)
        + "</p>"
        for area, members in areas.items()
    )
    return _PAGE.format(
        count=len(templates), index=index, body="\n".join(_section(each) for each in templates)
    )


def _section(template: Template) -> str:
    lists = "".join(
        f"<div><h3>{heading}</h3><ul>{''.join(f'<li>{escape(item)}' for item in items)}</ul></div>"
        for heading, items in (
            ("Covers", template.covers),
            ("Does not cover", template.not_covered),
            ("Method", template.references),
        )
        if items
    )
    leads = ", ".join(
        f'<a href="#{escape(name)}">{escape(name)}</a>'
        for name in dict.fromkeys(step.template for step in template.next)
    )
    status = "" if template.status == "stable" else f" <small>{escape(template.status)}</small>"
    rule = f"<p>Interesting when <code>{escape(template.interesting)}</code></p>"
    return (
        f'<section id="{escape(template.id)}"><h2>{escape(template.title)}'
        f" <code>{escape(template.id)}</code>{status}</h2>"
        f"<p class=question>{escape(template.question)}</p>{_figure(template)}"
        f"<pre>{escape(template.example())}</pre>{rule if template.interesting else ''}"
        f"<div class=lists>{lists}</div>"
        + (f"<p>Leads to {leads}</p>" if leads else "")
        + _fold("Inputs", ("input", "type", "default", "meaning"), _inputs(template))
        + _fold("Columns of its rows", ("column", "type", "meaning"), _columns(template))
        + _fold("Data it needs", ("column",), ((name,) for name in template.requires))
        + "</section>"
    )


def _fold(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table that is folded until somebody wants it; the first column holds names."""
    body = "".join(
        f"<tr><td><code>{escape(name)}</code>{''.join(f'<td>{escape(each)}' for each in rest)}</tr>"
        for name, *rest in rows
    )
    head = "".join(f"<th>{each}" for each in heads)
    table = f"<table><tr>{head}</tr>{body}</table>"
    return f"<details><summary>{title}</summary>{table}</details>" if body else ""


def _figure(template: Template) -> str:
    if not template.picture.is_file():
        return ""
    picture = template.picture.read_text("utf-8")
    told = PLANTED if PLANTED in picture else "recorded data"
    return f"<figure>{picture}<figcaption>An example, from {told}</figcaption></figure>"


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Query templates</title>
<meta name="viewport" content="width=device-width"><style>
:root {{ color-scheme: light dark; --line: #8884 }}
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 76rem; padding: 0 1rem;
  display: grid; grid-template-columns: 13rem minmax(0, 1fr); gap: 2.5rem }}
nav {{ position: sticky; top: 0; max-height: 100vh; overflow-y: auto; font-size: 13px; padding: 1rem 0 }}
nav p {{ margin: .5rem 0 }} nav a {{ display: block; padding: 1px 0 }}
a {{ color: light-dark(#0b57d0, #8ab4f8); text-decoration: none }} a:hover {{ text-decoration: underline }}
section {{ border-top: 1px solid var(--line); padding: .5rem 0 1rem; scroll-margin-top: 1rem }}
h1 {{ margin-bottom: 0 }} h2 {{ margin: .5rem 0 0 }} h2 code, h2 small {{ font-size: 14px; font-weight: normal; opacity: .7 }}
h3 {{ font-size: 13px; margin: 0; opacity: .7 }} .question {{ font-size: 17px; margin: .25rem 0 .75rem }}
.lists {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: .5rem 2rem }}
ul {{ margin: .25rem 0; padding-left: 1.1rem }} pre {{ background: #8881; padding: .5rem .75rem; overflow-x: auto }}
figure {{ margin: 0 }} figure svg {{ max-width: 100%; height: auto; background: #fff; border-radius: 4px; padding: 8px 16px; overflow: visible }}
figcaption {{ font-size: 13px; opacity: .7 }}
table {{ border-spacing: 0; font-size: 14px }} td, th {{ text-align: left; padding: 3px 14px 3px 0; vertical-align: top; border-top: 1px solid var(--line) }}
summary {{ cursor: pointer }} [hidden] {{ display: none !important }}
input {{ box-sizing: border-box; width: 100%; padding: .4rem .6rem; font: inherit }}
@media (max-width: 50rem) {{ body {{ display: block }} nav {{ position: static; max-height: none }} }}
</style></head><body><nav><input type="search" aria-label="Search" placeholder="What do you want to know?">
{index}<p id="none" hidden>No template says all of that.</p></nav><main><h1>Query templates</h1>
<p>{count} questions that one call answers, each with a verdict. Ask by
<code>investigation.run(ID, …)</code>; the inputs <code>window</code> and <code>baseline</code> come
from the investigation.</p>
{body}
</main><script>
const box = document.querySelector('input'), sections = [...document.querySelectorAll('section')];
box.oninput = () => {{
  const words = box.value.toLowerCase().split(/\\s+/);
  for (const one of sections) {{
    const text = one.textContent.toLowerCase();
    one.hidden = !words.every(word => text.includes(word));
    document.querySelector(`nav a[href="#${{one.id}}"]`).hidden = one.hidden;
  }}
  for (const area of document.querySelectorAll('nav p:has(a)'))
    area.hidden = !area.querySelector('a:not([hidden])');
  document.querySelector('#none').hidden = sections.some(one => !one.hidden);
}};
</script></body></html>
"""  # noqa: E501 - styles


def _columns(template: Template) -> list[tuple[str, str, str]]:
    meant = template.columns
    return [(name, kind, meant.get(name, "")) for name, kind in template.returns.items()]


def _inputs(template: Template) -> list[tuple[str, str, str, str]]:
    found = []
    for param in template.params.values():
        default = "" if param.default is None else str(param.default)
        kind = " or ".join(param.of) if param.of else param.type
        found.append((param.name, kind, "required" if param.required else default, param.help))
    return found
