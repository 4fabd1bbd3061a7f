"""Broker: the store's process.

Owns: the process and its life (`process`, `services`, `listening`), the HTTP routes over the
services, the stream of an investigation's state, the leases that keep it running, the doors that
senders push to (`doors`, `receivers`, `otlp_grpc`, `syslog_tcp`) with what they share (`intake`),
retention by the clock (`keeping`), its own health (`metrics`, `health`) and traces (`tracing`).
Promises: nobody else opens the store; every call has a token; a sender hears yes when its data is
on disk; it leaves when nobody needs it.
Never: decides anything itself: routes translate, services decide.
"""
