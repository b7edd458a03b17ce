"""The tests. People are in people.py, the servers that tests need in harness/, fixtures in conftest.py."""
