"""How fast the API takes messages, beside views that insert one row; see `make bench-api`.

__main__.py      the rounds: every contender's server up, the load on one after the other
contenders.py    who takes part: its project, its addresses, its requests
serving.py       a contender's web server and what it has used of the processors
load.py          the load generator, a process of its own
figures.py       what the rounds come to, and the tables
bare/            the project with the bare views
"""
