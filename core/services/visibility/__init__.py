"""What a person may see of items: blind to pre-labels and to others' votes."""
