"""Where and why figures are worse: slices, their bounty, and what the bias comes from."""
