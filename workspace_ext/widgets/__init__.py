"""Widgets: ipywidgets for notebooks (kernel-safe)."""
