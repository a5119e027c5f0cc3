"""What partners receive: extracts as CSV, audited, and written as a whole or not at all."""
