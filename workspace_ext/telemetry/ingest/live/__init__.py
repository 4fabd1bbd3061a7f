"""Live data: what senders push becomes durable before they hear of it, and soon part of the store.

Owns: the journal (append, group commit, recovery), the merge of many requests into one
transaction, and the limits beyond which a sender has to wait.
Promises: what was accepted is on disk, is in the store after any crash, and is there once.
Never: speaks a wire protocol; adapters have decoded before.
"""
