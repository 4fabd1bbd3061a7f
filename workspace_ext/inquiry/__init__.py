"""Inquiry: beliefs about facts.

Owns: notebook metadata, investigations, templates and the questions asked with them, capture,
the versions of notebooks, notebooks run headless, redaction, and the archive with its replay.
Promises: everything an investigation knows is a fold over its ledger events.
Never: changes a fact.
"""
