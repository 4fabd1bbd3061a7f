"""Protocol: the messages that broker, server, kernel and browser share.

Owns: the JSON Schemas in ``schemas/`` (the contract; the front end's types are generated from
them), the Python types of the same messages in `messages`, validation against a schema, and
how people write parameters (`assignments`).
Promises: plain JSON only; kernel-safe.
Never: talks to anybody, or knows how a message is carried.
"""
