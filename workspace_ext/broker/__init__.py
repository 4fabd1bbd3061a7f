"""Broker: the store's process.

Owns: the HTTP routes over the services, tokens, the event stream, leases, and the supervisor
that keeps a broker running for a Jupyter server.
Promises: nobody else opens the store; every call has a token; it leaves when nobody needs it.
Never: decides anything itself: routes translate, services decide.
"""
