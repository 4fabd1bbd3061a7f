"""Client: the broker's client, used by kernel, command line and server (kernel-safe).

Owns: finding or starting a folder's broker, keeping one for a Jupyter server (`supervisor`), and
one method for each of its routes.
Promises: every error of the broker arrives as the class it was raised as.
Never: imports DuckDB, Tornado or a service; opens a store.
"""
