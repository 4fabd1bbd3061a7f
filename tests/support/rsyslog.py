"""Debian's rsyslog on this machine: it reads a file that grows, and sends each line on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.senders import program, running

_HEAD = """
global(workDirectory="{folder}" parser.permitSlashInProgramName="on")
module(load="imfile")
module(load="omelasticsearch")
template(name="document" type="list" option.jsonf="on") {{
  property(outname="@timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
  property(outname="level" name="syslogseverity-text" format="jsonf")
  property(outname="service" name="programname" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
}}
input(type="imfile" File="{folder}/app.log" Tag="{tag}" Severity="error" Facility="local3")
"""
_FORWARD = """
action(type="omfwd" target="127.0.0.1" port="{port}" protocol="tcp" TCP_Framing="{framing}"
       template="RSYSLOG_SyslogProtocol23Format" action.resumeRetryCount="-1"
       action.resumeInterval="1" queue.type="LinkedList")
"""
_ELASTIC = """
action(type="omelasticsearch" server="127.0.0.1" serverport="{port}" template="document"
       searchIndex="logs" bulkmode="on" errorFile="{folder}/elastic-errors.json"
       action.resumeRetryCount="-1" action.resumeInterval="1" queue.type="LinkedList")
"""


def forward(address: str, framing: str = "octet-counted") -> str:
    """The configuration that sends syslog over TCP.

    Args:
        address: As in tcp://127.0.0.1:5514.
        framing: "octet-counted" or "traditional".
    """
    return _FORWARD.format(port=address.rpartition(":")[2], framing=framing)


def elastic(address: str, folder: Path) -> str:
    """The configuration that sends Elasticsearch's bulk requests.

    Args:
        address: As in http://127.0.0.1:4318.
        folder: For its errors.
    """
    return _ELASTIC.format(port=address.rpartition(":")[2], folder=folder)


@contextmanager
def rsyslog(folder: Path, tag: str, *actions: str) -> Iterator[Path]:
    """The file that it reads, for as long as it runs.

    Args:
        folder: Of its own, and empty.
        tag: The name of the program that writes the file.
        actions: Where its lines go, as `forward` and `elastic` say it.
    """
    binary = program("rsyslogd", package="rsyslog")
    program_log = folder / "rsyslog.log"
    (folder / "app.log").touch()
    configuration = folder / "rsyslog.conf"
    configuration.write_text(_HEAD.format(folder=folder, tag=tag) + "".join(actions))
    pid = folder / "rsyslog.pid"
    with running(program_log, binary, "-n", "-f", configuration, "-i", pid):
        yield folder / "app.log"
