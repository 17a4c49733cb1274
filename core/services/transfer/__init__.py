"""Labels and images in and out: imports and exports."""
