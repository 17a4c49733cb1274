"""Inputs that are broken or hostile, built by code; one test id per row of the list B01 to B79."""
