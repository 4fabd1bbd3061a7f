"""Faults planted in realistic noise: what each template must find, and how strong it must be.

`world` makes the noise, the other modules plant; `table` gathers them.
"""
