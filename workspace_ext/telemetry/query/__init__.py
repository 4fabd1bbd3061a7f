"""Query: runs SELECTs over the guarded views, under limits, for people who may be wrong.

Owns: the guard over free SQL, the two ways a query runs (library SQL in the broker's threads,
free SQL in a worker process that is used once), limits and lanes, sealed Parquet segments,
slices of tables for an archive, a result's digest, what a query scanned, and how a replay may
compare its result.
Promises: every query reads one pin, ends at its deadline, and says in one line which limit it
met; free SQL never runs in the process that owns the store.
Never: knows what a template, a hypothesis or an investigation is, or records anything.
"""
