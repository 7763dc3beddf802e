"""One kind of widget a module."""
