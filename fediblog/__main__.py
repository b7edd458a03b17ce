"""`python -m fediblog` is the same as `fediblog`."""

from fediblog.cli import main

main()
