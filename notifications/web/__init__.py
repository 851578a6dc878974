"""Users' pages: their messages, and what became of each."""
