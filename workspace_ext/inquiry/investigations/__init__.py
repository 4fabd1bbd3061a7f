"""Investigations: what people believe, asked and found, and who said so.

Owns: the state of an investigation as a pure fold over its ledger stream (`fold`, `beliefs`), the
life of a hypothesis (`lifecycle`), the checks of what may be reported (`checks`), recorded queries
with their kept results and the list of hypotheses (`store`), how well stated confidence holds
(`calibration`), and the use cases (`reading`, `service`).
Promises: nothing of a report is stored when a part of it is wrong; a report that comes twice
counts once; a refuted hypothesis stays; a test without data is inconclusive, never support; no
claim is published that its tests do not show, but with a reason that stays with it;
subscribers see every change, in order.
Who did it: a service names the actor. What a kernel reports is done by the person whose run it
is (the server recorded who started the run), or else by the user of the kernel's token; the
kernel stands in ``source``. A query's actor is the kernel, on behalf of that person. A kernel
that names another kernel's run is not believed: run and cell are dropped.
Never: runs a query, or changes an entry.
"""
