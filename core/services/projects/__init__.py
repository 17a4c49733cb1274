"""A project, the documents in force in it, and templates to begin with."""
