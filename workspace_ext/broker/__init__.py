"""Broker: the store's process.

Owns: the process and its life (`process`, `services`, `listening`), the HTTP routes over the
services, the stream of an investigation's state, and the leases that keep it running.
Promises: nobody else opens the store; every call has a token; it leaves when nobody needs it.
Never: decides anything itself: routes translate, services decide.
"""
