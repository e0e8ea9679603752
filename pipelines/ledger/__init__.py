"""Keep the ledger of runs: what was done for each client, when, and how it ended."""
