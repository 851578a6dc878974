"""Limbo with Django's own MIME builder: what the peers use, for a row beside the headline."""
