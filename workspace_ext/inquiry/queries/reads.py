"""What recorded queries read of each table."""

from __future__ import annotations

from dataclasses import dataclass

from workspace_ext.inquiry.investigations.model import QueryRecord
from workspace_ext.inquiry.templates.binding import BindContext, bind
from workspace_ext.inquiry.templates.library import TemplateLibrary
from workspace_ext.inquiry.templates.model import Template
from workspace_ext.protocol.messages import TemplateRef
from workspace_ext.telemetry.query.model import Scan
from workspace_ext.telemetry.query.scan import PlanReader


@dataclass(frozen=True)
class Reads:
    """Tells it of free SQL as it was recorded, and of a template's query from its plan.

    Args:
        templates: The templates there are.
        plans: Reads the plans.
    """

    templates: TemplateLibrary
    plans: PlanReader

    def of(self, record: QueryRecord) -> tuple[Scan, ...]:
        """What a query read, one entry for each place in its plan that reads a table.

        Raises:
            BadInput: Its template is gone, or is not the one it was asked with any more.
        """
        if record.template is None:
            return record.scans
        template = self.template(record.template)
        bound = bind(template, record.params, BindContext())
        return self.plans.scan(template.sql, bound.values)

    def template(self, used: TemplateRef) -> Template:
        """The template as it was used.

        Raises:
            BadInput: It is gone, or was changed since.
        """
        return self.templates.used(used)
