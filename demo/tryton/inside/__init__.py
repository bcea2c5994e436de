"""What runs inside Tryton's own environment. It imports nothing else of the project: other packages live there."""
