"""HTTP with no domain in it: typed endpoints, one envelope, one error shape, one module a concern."""
