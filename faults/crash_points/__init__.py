"""Every crash point of a drain and of the re-reads after it, alone and in pairs; see ``docs/faults.md``."""
