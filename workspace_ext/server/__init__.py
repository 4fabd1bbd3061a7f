"""Server: the Jupyter side.

Owns: identity, the tap on kernel messages, live notebooks, and the routes for the browser.
Promises: every run through this server is recorded with the person the server authenticated;
a user's typing is never lost to our metadata.
Never: opens a store, or trusts a name that a browser or a kernel sent.
"""
