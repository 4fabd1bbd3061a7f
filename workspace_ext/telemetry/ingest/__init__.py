"""Ingest: files become batches.

Owns: the registry of formats, the adapters (one a format), the limits of what is taken, the
mapping from foreign columns to fields, and the one transaction that makes a batch.
Promises: one file is one batch, whole or not at all; the same content twice adds nothing; a bad
record goes to quarantine with its reason and line and never stops the others.
Never: guesses what a column means; a table without OpenTelemetry names needs a mapping.
"""
