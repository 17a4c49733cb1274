"""Models: dataset versions, training on them, pre-labels, and the worker that does it."""
