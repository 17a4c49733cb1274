"""How people do: one person's own numbers, and everybody's for those who steer."""
