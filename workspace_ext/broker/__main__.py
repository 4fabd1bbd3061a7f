"""``python -m workspace_ext.broker --store DIR``."""

from workspace_ext.broker.process import main

if __name__ == "__main__":
    raise SystemExit(main())
