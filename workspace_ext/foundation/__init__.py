"""Foundation: what every other room stands on (standard library only).

Owns: the error tree, ids, the clock, canonical bytes with their digests, and actors.
Promises: no third-party import, no input or output, nothing that differs between processes.
Never: knows what a notebook, a query or a store is.
"""
