"""Dataset versions: frozen with splits, told apart, traced both ways, and written out with a receipt."""
