"""What the reconciliation page shows, asked of the store; every listing is one statement that uses an index."""
