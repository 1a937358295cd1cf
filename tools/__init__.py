"""What the Makefile asks of Python; see README.md."""
