"""Ledger: what happened.

Owns: the hash chain (pure functions) and the one table it is kept in.
Promises: entries are appended, never changed; every edit is found by `verify`.
Never: interprets a payload.
"""
