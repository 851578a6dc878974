"""The benchmarks: Limbo and its peers against the same sink and PostgreSQL; see `make bench`.

__main__.py      reads the options, runs the measures, writes results and the docs' tables
contestants.py   who takes part, and with which commands
stage.py         the server and the sinks, the same for all
race.py          one contestant gets its messages out, and is timed
headline.py …    the measures, one module each
servers/         what listens: the sinks, a slow link, an HTTP provider
peers/           the peers' Django project, run in .venv-bench
limbo_side/      what only benchmarks do to a Limbo: filling it, and rows beside the headline
results/         the figures, from which docs/explanation/performance.md is made
"""
