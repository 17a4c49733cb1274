"""Who sees what next: priority, lease, overlap."""
