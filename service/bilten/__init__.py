"""Bilten's service: the API and the worker, one image, told apart by the command that starts it."""

__version__ = "0.1.0"
