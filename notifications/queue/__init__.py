"""Whose turn it is: the claim, the sweeper, the broker, and people's choices."""
