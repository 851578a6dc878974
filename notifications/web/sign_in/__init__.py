"""Signing in, for the users' pages and the admin alike: django-allauth, in our words and bounds."""
