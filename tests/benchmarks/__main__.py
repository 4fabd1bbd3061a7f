"""``python -m tests.benchmarks [NAME…]``: runs benchmarks, prints their table."""

import sys
from importlib import import_module

from tests.benchmarks.table import Row, markdown

NAMES = (
    "transport",
    "capture",
    "server_start",
    "page_start",
    "demo",
    "ingest",
    "busy",
    "ingest_long",
    "versions",
    "replay",
    "attributes",
    "templates",
    "analysts",
    "peers",
)


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"no benchmark {unknown[0]!r}; there are: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    rows: list[Row] = []
    for name in names or NAMES:
        print(f"{name} …", file=sys.stderr, flush=True)
        rows += import_module(f"tests.benchmarks.{name}").run()
    print(markdown(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
