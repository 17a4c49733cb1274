"""Pictures of items: who may have one, its renditions, tiles and crops."""
