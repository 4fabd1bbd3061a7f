"""Agreements between people about what an investigation says.

Owns: `review` (states, comments, what changed since somebody looked, the post-mortem, which
templates somebody looked through).
Promises: whatever people agree on is an event of the investigation's ledger; what follows from
events is derived when it is asked for, and stored nowhere.
Never: changes what `inquiry` recorded.
"""
