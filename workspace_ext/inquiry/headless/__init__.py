"""Headless: a notebook run from start to end without a browser, captured all the same.

Owns: reading and saving a notebook file (`notebook`), the client that tells the kernel which
cell it runs (`stamping`), one run with its kernel (`execution`), the whole of it (`runner`), and
what its run says of the notebook's claims (`testing`, `junit`).
Promises: every run reaches the record as it does from the browser; the file is saved whole or
not at all, and always with what has run; no kernel is left behind.
Never: opens a store, or asks who the user is (the caller knows).
"""
