"""A Django project with two views that insert one row: with django-rest-framework and without."""
