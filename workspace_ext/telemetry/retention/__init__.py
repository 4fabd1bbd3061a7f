"""Retention: what goes when data is too old or too much, and what is spared.

Owns: the policy of a store, the plan that comes of it, and the note of every removal
(``raw.removals``).
Promises: whole batches go, the oldest first, but for the rows that somebody has said are needed;
each step is a small transaction, noted in that same transaction.
Never: removes the row of a batch, or services; knows of investigations: whoever needs rows hands
their ranges in.
"""
