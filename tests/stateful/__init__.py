"""The engine, step by step, in every order that Hypothesis can think of."""
