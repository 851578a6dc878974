"""What happened: every change of a delivery, and its record."""
