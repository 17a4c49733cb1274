"""What leaves the house as a file to read: tables, and the weekly report."""
