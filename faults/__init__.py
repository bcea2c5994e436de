"""Faults, tried on purpose: every crash point (``crash_points``), and hundreds of rounds of trouble (``soak``)."""
