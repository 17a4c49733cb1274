"""From the record to labels: what an item's evidence settles to, how far people agree."""
