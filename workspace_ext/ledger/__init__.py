"""Ledger: what happened.

Owns: the hash chains (pure functions in `model`), one for each stream, and their tables. A
stream is an investigation's uid, or "store" for what concerns the whole store.
Promises: entries are appended, never changed; an event id counts once in a stream; every edit,
deletion and reordering is found by `verify`, and a cut tail too when the head that a saved
notebook or an archive carries is given. A payload can be taken away and its chain still holds.
Never: interprets a payload.
"""
