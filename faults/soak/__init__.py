"""Hundreds of rounds of trouble on one store, and its books in the end; see ``docs/faults.md``."""
