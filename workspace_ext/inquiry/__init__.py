"""Inquiry: beliefs about facts.

Owns: notebook metadata, investigations, templates, capture, and the archive with its replay.
Promises: everything an investigation knows is a fold over its ledger events.
Never: changes a fact.
"""
