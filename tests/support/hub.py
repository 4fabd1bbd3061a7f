"""A real JupyterHub whose single-user servers have the extension.

Who somebody is, in which groups, and what they may reach, is the hub's word. Its own proxy needs
Node, so the tests' stands before it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.jupyter import START_SECONDS, Jupyter
from tests.support.lab import FRONT_END
from tests.support.places import REPOSITORY
from tests.support.ports import free_port
from tests.support.proxy import proxy
from tests.support.waiting import until

_ADMIN = "token-of-the-admin"  # of this hub alone, which lives as long as a test
_CONFIG = """
import json, pathlib
from jupyterhub.proxy import Proxy

class TestsProxy(Proxy):
    routes = {{}}
    should_start = False
    async def start(self):
        pass
    async def stop(self):
        pass
    async def add_route(self, routespec, target, data):
        self.routes[routespec] = {{"routespec": routespec, "target": target, "data": data}}
        targets = {{route: one["target"] for route, one in self.routes.items()}}
        pathlib.Path("{where}/routes.json").write_text(json.dumps(targets))
    async def delete_route(self, routespec):
        self.routes.pop(routespec, None)
    async def get_all_routes(self):
        return self.routes

c.JupyterHub.proxy_class = TestsProxy
c.JupyterHub.bind_url = "http://127.0.0.1:{public}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.db_url = "sqlite:///{where}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{where}/cookie_secret"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = "none"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{where}/{{username}}"
c.Spawner.cmd = [{python!r}, "-m", "jupyterhub.singleuser"]
c.Spawner.environment = {environment!r}
c.Spawner.oauth_client_allowed_scopes = ["read:users:groups!user"]
c.Spawner.start_timeout = c.Spawner.http_timeout = 60
c.JupyterHub.services = [{{"name": "admin", "api_token": "{admin}"}}]
c.JupyterHub.load_groups = {groups!r}
c.JupyterHub.load_roles = [
    {{"name": "guests", "scopes": ["access:servers!user={owner}"], "users": {users!r}}},
    {{"name": "all", "scopes": ["admin:users", "admin:servers", "tokens"], "services": ["admin"]}},
]
"""


@dataclass
class Hub:
    """A running hub."""

    url: str

    def request(self, method: str, path: str, body: object = None) -> Any:
        """Calls its API as its admin."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"token {_ADMIN}"}
        request = urllib.request.Request(
            f"{self.url}/hub/api{path}", data=data, method=method, headers=headers
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            content = response.read()
        return json.loads(content) if content else None


@dataclass(kw_only=True)
class HubServer(Jupyter):
    """Somebody's server, and the hub that it is behind."""

    hub: Hub


@contextmanager
def hub(
    where: Path, owner: str, groups: Mapping[str, list[str]], users: list[str]
) -> Iterator[HubServer]:
    """The single-user server of somebody, which others may use, on a hub of its own.

    Args:
        where: For everything they write.
        owner: Whose server it is.
        groups: Who is in which group.
        users: Everybody.
    """
    home = where / owner
    environment = {
        "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{REPOSITORY / 'kernels'}",
        "PATH": os.environ["PATH"],
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTER_PREFER_ENV_PATH": "0",
    }
    for folder, name, real in (
        ("labextensions", "investigation-workspace", FRONT_END),
        ("kernels", "investigation", REPOSITORY / "kernels" / "investigation"),
    ):
        link = home / "data" / folder / name
        link.parent.mkdir(parents=True)
        link.symlink_to(real)
    settings = home / "config" / "jupyter_server_config.py"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(
        'c.ServerApp.jpserver_extensions = {"workspace_ext": True}\nc.ServerApp.allow_root = True\n'
    )
    port, public = free_port(), free_port()
    config = where / "jupyterhub_config.py"
    config.write_text(
        _CONFIG.format(
            port=port,
            public=public,
            where=where,
            python=sys.executable,
            environment=environment,
            admin=_ADMIN,
            groups={name: {"users": members} for name, members in groups.items()},
            owner=owner,
            users=users,
        )
    )
    log = where / "hub.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(config)],
            cwd=where,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    running = Hub(f"http://127.0.0.1:{port}")
    address = f"http://127.0.0.1:{public}/user/{owner}"
    try:
        until(lambda: _answers(running, process, log), f"the hub starts, see {log}", START_SECONDS)
        with proxy(public, where / "routes.json"):
            yield _server(running, process, owner, users, home, log, address)
    finally:
        process.terminate()  # it ends its servers, and then itself
        process.wait(60)


def _server(
    running: Hub,
    process: subprocess.Popen[bytes],
    owner: str,
    users: list[str],
    home: Path,
    log: Path,
    address: str,
) -> HubServer:
    for user in users:
        with suppress(urllib.error.HTTPError):  # 409: of a group, so known already
            running.request("POST", f"/users/{user}")
    running.request("POST", f"/users/{owner}/server")
    until(
        lambda: running.request("GET", f"/users/{owner}")["servers"].get("", {}).get("ready"),
        f"the server starts, see {log}",
        START_SECONDS,
    )
    return HubServer(
        hub=running,
        root=home,
        store=home / ".investigation",
        home=home,
        url=address,
        process=process,
        log=log,
        tokens={user: running.request("POST", f"/users/{user}/tokens")["token"] for user in users},
    )


def _answers(running: Hub, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        running.request("GET", "/")
    except OSError:
        return False
    return True
