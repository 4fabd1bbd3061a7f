"""What all views share: controls, a still picture beside them, and errors in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.foundation.ids import new_id
from workspace_ext.widgets.tables import Still, error_html

if TYPE_CHECKING:
    import ipywidgets

CONTROLS = "application/vnd.jupyter.widget-view+json"
"""Content type of a widget's place in an output."""

Bundle = dict[str, Any]
"""One thing to show: ``data`` by content type, and ``metadata``."""


class View:
    """Something live in a notebook.

    Its output holds the controls and a still picture; a front end that cannot show the controls
    (no widgets, or their kernel is gone) shows the picture. Where the cell is shown, the picture
    follows what the controls say.
    """

    def __init__(self) -> None:
        self._place = new_id()
        self._root: ipywidgets.Widget | None = None
        self._said: ipywidgets.HTML | None = None

    @property
    def widget(self) -> ipywidgets.Widget:
        """The controls, to be put among others; made on first use."""
        if self._root is None:
            self._root = self._build()
        return self._root

    def still(self) -> Still:
        """The picture of it now."""
        raise NotImplementedError

    def _build(self) -> ipywidgets.Widget:
        raise NotImplementedError

    @property
    def said(self) -> ipywidgets.HTML:
        """Where errors and confirmations stand."""
        if self._said is None:
            import ipywidgets

            self._said = ipywidgets.HTML()
        return self._said

    def _try(self, act: Callable[[], object], done: str = "") -> bool:
        """Does what a control asks for; says in place what went wrong, and then gives False."""
        _ = self.widget  # what is done shows in it, also before anybody has seen it
        try:
            act()
        except InvestigationError as error:
            self.said.value = error_html(error.message, error.hint)
            return False
        except Exception as error:  # an edge: nobody would see it in a callback
            self.said.value = error_html(f"{type(error).__name__}: {error}", "")
            return False
        self.said.value = done
        return True

    def _bundle(self) -> Bundle:
        model = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        return {CONTROLS: model, **self._picture()}

    def _picture(self) -> Bundle:
        picture = self.still()
        return {"text/html": picture.html(), "text/plain": picture.text()}

    def _redraw_picture(self) -> None:
        """The picture in the notebook becomes that of now."""
        from IPython.display import update_display

        update_display(self._bundle(), display_id=self._place, raw=True)  # type: ignore[no-untyped-call]

    def _ipython_display_(self, **_options: Any) -> None:
        from IPython.display import display

        display(self._bundle(), display_id=self._place, raw=True)  # type: ignore[no-untyped-call]

    def __repr__(self) -> str:
        return self.still().text()
