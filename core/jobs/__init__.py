"""Long work outside the app's process."""
