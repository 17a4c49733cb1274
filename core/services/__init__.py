"""The use cases, one function each; every one calls the gate."""
