"""Catalog: what the store holds, where it came from, and how far it can be trusted.

Owns: the pin, the overview, batches and quarantine as a reader sees them, lineage from scans to
sources, quality by signal and service, and the warnings that go with answers.
Promises: reads only; asks the tables once for each new batch, and looks at the same minutes of one
pin once.
Never: shows rows of telemetry; that is what queries are for.
"""
