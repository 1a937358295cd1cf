"""One module a library: the same work in its words, imported in its own environment alone."""
