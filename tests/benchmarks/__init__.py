"""Benchmarks: ratios and differences against something measured in the same run.

``python -m tests.benchmarks [NAME…]`` runs them and prints one table. They are no tests: a busy
machine must not fail a build.
"""
