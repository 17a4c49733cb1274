"""Dataset versions: freeze, hash, splits."""
