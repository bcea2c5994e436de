"""A real ERP, Tryton, in an environment of its own: for the integration tests and for ``make demo ERP=tryton``."""
