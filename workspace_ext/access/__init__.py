"""Access: who may do what, and why.

Owns: the people file (`people`), their roles and what each role may do (`roles`), principals (what
a token stands for), tokens, the kernels whose tokens hold (`kernels`), and the decision about an
action, with its reason. A service (the Jupyter server, the command line) knows its people and may
name the actor of what it reports; a kernel acts for one user, and may ask and report what people
do in code.
Promises: a decision always carries a reason; what is not allowed is refused.
Never: decides who somebody is on a request; identity comes from the Jupyter server.
"""
