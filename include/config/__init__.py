"""The configuration that users write, and its validation: profiles and the status map."""
