"""Reviewing: claiming items, submitting votes, ruling on disputes."""
