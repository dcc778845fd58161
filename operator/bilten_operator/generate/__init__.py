"""`make docs`: the CRD and its reference, written from the types. Not part of the running operator."""
