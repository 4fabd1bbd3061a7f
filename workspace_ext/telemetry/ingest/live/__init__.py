"""Live data: what senders push becomes durable before they hear of it, and soon part of the store.

Owns: a request as the journal keeps it (`request`), its decoding by an adapter (`decoding`), the
journal (`journal`, `recovery`), what waits and for how long (`groups`), the merge of many requests
into one transaction (`merge`), the limits beyond which a sender has to wait, and what happened
(`totals`).
Promises: what was accepted is on disk, is in the store after any crash, and is there once.
Never: speaks a wire protocol.
"""
