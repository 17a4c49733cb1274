"""Whole networks are taught here: labels to a fine-tuned model, Noisy Student rounds included.

`run` goes from a request to a model kept; `loop` is the loop that teaches. Importing this package
does not import torch; importing its modules does. The rest of the room knows `values`, `loop`
and `run`; nothing here knows who asks.
"""
