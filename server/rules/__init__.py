"""Plain Python that knows the law's tables and the lives; no flask, no sqlalchemy."""
