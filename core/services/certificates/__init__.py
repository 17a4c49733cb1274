"""Certificates: promises about auto-accepted labels, looks at them, acceptance, audit, recall, savings."""
