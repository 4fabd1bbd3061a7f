"""Capture: what runs of cells become in the record.

Owns: the reading of kernel messages into run events (`runs`) with a digest of what was shown
(`outputs`), of text cells into hypotheses, findings and decisions (`prose`), and the spool that
carries events over an outage of the broker, in order and without duplicates (`spool`).
Promises: every request to run code gives one ``run.started`` and, in the end, one
``run.finished``; nothing here blocks, and nothing here breaks a notebook.
Never: asks who somebody is (the caller knows), or talks to a kernel.
"""
