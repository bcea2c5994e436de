"""The operators of Ropo One, by what they do; each works for one profile, but the first of a run."""
