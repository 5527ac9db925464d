"""
Readers under inputs that a machine thinks up, for as long as you like: `make fuzz`.

No part of the tests. What is found becomes one: a small file, and what it has to give.
"""
