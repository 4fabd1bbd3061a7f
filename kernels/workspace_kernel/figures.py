"""The data that a matplotlib figure draws, shown beside its picture: a replay compares those.

Pixels change with each library version; what was drawn does not. The values travel as one more
representation of the output, which viewers that do not know it pass over.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from IPython.core.formatters import BaseFormatter
from traitlets import ObjectName, Unicode

from workspace_ext.protocol.messages import FIGURE_MIME

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_POINTS = 2_000
"""Points of one figure that are kept as values; of a larger one each series is a digest."""

Series = tuple[str, str, Any]
"""Its kind, its name, and an array of points: (n, columns)."""


class _FigureFormatter(BaseFormatter):
    format_type = Unicode(FIGURE_MIME)
    print_method = ObjectName("_repr_investigation_figure_")
    _return_type = dict

    def lookup(self, obj: Any) -> Callable[[Any], dict[str, Any] | None]:
        """As in the base class; a registration for figures would fall to ``%matplotlib``."""
        for kind in type(obj).__mro__:
            if (kind.__module__, kind.__name__) == ("matplotlib.figure", "Figure"):
                return _told
        raise KeyError(type(obj))


def install(shell: InteractiveShell) -> None:
    """Lets figures tell their data from now on; matplotlib is not imported for that."""
    display: Any = shell.display_formatter
    display.formatters[FIGURE_MIME] = _FigureFormatter(parent=display)


def uninstall(shell: InteractiveShell) -> None:
    """Undoes it."""
    display: Any = shell.display_formatter
    display.formatters.pop(FIGURE_MIME, None)


def _told(figure: Figure) -> dict[str, Any] | None:
    try:
        return describe(figure)
    except Exception:  # an odd artist must not cost the analyst the picture
        return None


def describe(figure: Figure) -> dict[str, Any]:
    """What a figure draws: rows of points, in data coordinates.

    Lines, bars and other patches, scatters and other collections, and images are told; of
    the axes the title, the labels and the names of categories.

    Args:
        figure: The figure.

    Returns:
        ``{"axes": [...], "rows": [...]}``; a row is a point or, in a figure of more than
        `MOST_POINTS`, a whole series with its number of points and SHA-256.
    """
    found = [
        (number, series) for number, axes in enumerate(figure.axes) for series in _series(axes)
    ]
    size = sum(len(points) for _, (_, _, points) in found)
    tell = _rows if size <= MOST_POINTS else _digest
    rows = [
        {"axes": number, "kind": kind, "series": name, **row}
        for number, (kind, name, points) in found
        for row in tell(points)
    ]
    return {"axes": [_words(axes) for axes in figure.axes], "rows": rows}


def _series(axes: Axes) -> Iterator[Series]:
    import numpy as np

    for number, line in enumerate(axes.get_lines()):
        yield "line", _called(number, line), np.asarray(line.get_xydata())
    for number, patch in enumerate(axes.patches):
        corners = patch.get_patch_transform().transform(patch.get_path().vertices)
        yield "patch", _called(number, patch), corners
    for number, collection in enumerate(axes.collections):
        name, values = _called(number, collection), collection.get_array()
        offsets = _plain(collection.get_offsets())
        if len(offsets) > 1 or offsets.any():
            yield "points", name, offsets
        else:
            for path in collection.get_paths():
                yield "path", name, path.vertices
        if values is not None:
            yield "values", name, _plain(values).reshape(-1, 1)
    for number, image in enumerate(axes.images):
        pixels = _plain(image.get_array())
        yield f"image {'x'.join(map(str, pixels.shape))}", str(number), pixels.reshape(-1, 1)


def _called(number: int, artist: Any) -> str:
    """Its number, and its label where somebody gave it one."""
    label = str(artist.get_label())
    return f"{number}: {label}" if label and not label.startswith("_") else str(number)


def _plain(values: Any) -> Any:
    """Numbers; not a number where they are masked."""
    import numpy as np

    return np.ma.filled(np.ma.asarray(values, dtype=float), np.nan)


def _words(axes: Axes) -> dict[str, Any]:
    told = {
        "title": axes.get_title(),
        "x": axes.get_xlabel(),
        "y": axes.get_ylabel(),
        "x_names": _names(axes.xaxis),
        "y_names": _names(axes.yaxis),
    }
    return {name: value for name, value in told.items() if value}


def _names(axis: Any) -> list[str]:
    """The categories of an axis; the labels of numbers are a matter of looks."""
    from matplotlib.category import StrCategoryFormatter
    from matplotlib.ticker import FixedFormatter

    if isinstance(axis.get_major_formatter(), (StrCategoryFormatter, FixedFormatter)):
        return [label.get_text() for label in axis.get_majorticklabels()]
    return []


def _rows(points: Any) -> Iterator[dict[str, Any]]:
    names = ("x", "y") if points.shape[1] == 2 else ("value",)
    for number, point in enumerate(points.tolist()):
        values = dict(zip(names, point, strict=False))
        told = {name: value if math.isfinite(value) else None for name, value in values.items()}
        yield {"point": number, **told}


def _digest(points: Any) -> Iterator[dict[str, Any]]:
    import numpy as np

    content = np.ascontiguousarray(points, dtype="<f8").tobytes()
    yield {"points": len(points), "sha256": hashlib.sha256(content).hexdigest()}
