"""Retention: what goes when data is too old or too much, and what is spared.

Owns the policy of a store and the note of every removal (``raw.removals``). Removes whole batches,
the oldest first, but for the rows that somebody has said are needed; each step is a small
transaction, noted in that same transaction. Never removes the row of a batch, nor services, and
knows nothing of investigations: whoever needs rows hands their ranges in.
"""
