"""The main job on made-up data, with a stand-in of Ropo One: ``make demo`` and ``make up``."""
