"""What a lead puts in force: schema, policy, guideline; and the history of it."""
