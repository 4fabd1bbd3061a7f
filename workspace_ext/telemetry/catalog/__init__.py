"""Catalog: what the store holds, and where it came from.

Owns: the pin, the overview, batches and quarantine as a reader sees them, the names of services.
Promises: reads only; asks the tables once for each new batch.
Never: shows rows of telemetry; that is what queries are for.
"""
