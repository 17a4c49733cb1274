"""Looking items up: finding them, lists of them, all about one, why it has its label."""
