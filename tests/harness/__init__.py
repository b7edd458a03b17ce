"""The servers that tests need: each on a free port, in a folder of its own, and gone when the tests end."""
