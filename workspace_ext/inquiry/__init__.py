"""Inquiry: beliefs about facts.

Owns: notebook metadata, investigations, templates and the questions asked with them, capture,
notebooks run headless, and the archive with its replay.
Promises: everything an investigation knows is a fold over its ledger events.
Never: changes a fact.
"""
