"""Queries: one question, asked on a pin, answered with rows and a verdict, and recorded.

Owns: what happens to a request between the broker's door and its answer: pin, template,
binding, run, verdict, digest, the kept result, the record; afterwards what a recorded query read
(`reads`) and where that came from (`lineage`).
Promises: an answer that was given was recorded before; so is a query that failed; what is
recorded is enough to ask again and to compare.
Never: speaks HTTP, or runs SQL itself; the telemetry's query room does that.
"""
