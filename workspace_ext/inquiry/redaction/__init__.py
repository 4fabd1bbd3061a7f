"""Redaction: secrets and personal data are taken out before anything leaves the store.

Owns: the patterns, the policy (a store's ``redaction.yaml`` and what a person adds), and how
text, JSON and Arrow tables are searched.
Promises: equal values become equal marks, so that what belonged together still does; a mark does
not tell its value, not even a short one, to whoever lacks the store's key; what was changed is
counted.
Never: changes what the store holds.
"""
