"""Telemetry: facts.

Owns: the tables of spans, logs, metrics, events and services; ingest with its adapters; the
catalog of batches; retention; the guard and the runner of queries; the pin.
Promises: what was acknowledged is on disk; the same record twice is kept once; an answer names
the pin it was computed on.
Never: judges what a fact means for an investigation.
"""
