"""Truth inference: from many people's votes to one label an item. One algorithm a file, all pure."""
