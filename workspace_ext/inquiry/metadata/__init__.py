"""Notebook metadata: what a notebook file itself tells of its investigation.

Owns: the projection of an investigation's state (`projection`), and its place in a notebook:
uids of cells, the one key (`notebook`).
Promises: pure functions on plain JSON; the same state gives the same bytes, with no floats; at
most 1 KB a cell and 16 KB a notebook, with a note of what was left out; metadata of a newer
schema keeps every byte; nothing but our key is touched.
Never: reads a file, imports a database, or believes a copied cell.
"""
