"""Lint: what a template must hold before anybody may run it."""

from __future__ import annotations

from workspace_ext.inquiry.templates.model import Problem, Template


def lint(template: Template) -> list[Problem]:
    """What is wrong with a template, each problem with its line where there is one."""
    problems: list[Problem] = []
    area, name = template.path.parent.name, template.path.stem
    if template.id != f"{area}.{name}":
        message = f"id {template.id} does not match the path: {area}/{name}.sql"
        problems.append(Problem(template.path, None, message))
    return problems
