"""``python -m workspace_ext.broker --store DIR``."""

from workspace_ext.broker.process import main
from workspace_ext.foundation.imports import without_slow_formats

if __name__ == "__main__":
    with without_slow_formats():
        raise SystemExit(main())
