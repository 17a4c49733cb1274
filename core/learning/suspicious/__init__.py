"""Labels that are probably wrong, and images that do not belong: pure functions over arrays. Free of torch."""
