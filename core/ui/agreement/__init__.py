"""How far people agree, on the quality page: the choice of votes, the coefficients, who with whom."""
