"""The peers, as a small Django project would use them; its processes run in .venv-bench."""
