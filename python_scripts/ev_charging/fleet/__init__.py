"""What a simulated fleet shows: one controller against another."""
