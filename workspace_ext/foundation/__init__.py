"""Foundation: what every other room stands on (standard library only).

Owns: the error tree and its hints, ids, the clock, canonical bytes with their digests, actors,
and where the files lie that come with the product.
Promises: no third-party import; opens no file and no connection.
Never: knows what a notebook, a query or a store is.
"""
