"""A stand-in of Ropo One over real HTTP for the demo and the tests, with faults on demand."""
