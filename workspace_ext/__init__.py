"""Investigation Workspace: shared notebooks for finding out why a system broke.

Its rooms, and which may import which, are in CONTRIBUTING.md.
"""

__version__ = "0.1.0"


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where JupyterLab finds the prebuilt front end (used by ``jupyter labextension develop``)."""
    return [{"src": "labextension", "dest": "investigation-workspace"}]


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    """The one server extension, imported only when a Jupyter server asks for it."""
    from workspace_ext.app import InvestigationApp

    return [{"module": "workspace_ext", "app": InvestigationApp}]
