"""Access: who may do what, and why.

Owns: principals (what a token stands for), the decision about an action, with its reason.
Promises: a decision always carries a reason; what is not allowed is refused.
Never: authenticates a person; identity comes from the Jupyter server.
"""
