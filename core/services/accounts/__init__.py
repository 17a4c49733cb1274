"""Who there is, what each may do and prefers, and who is signed in."""
