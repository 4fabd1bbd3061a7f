"""The Python side of an investigation: the ``investigation`` object and its magics."""
