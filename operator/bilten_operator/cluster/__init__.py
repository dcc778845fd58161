"""Talks to the API server and the object stores: what is observed, and what is written."""
