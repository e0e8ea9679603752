"""The local account of faults: `make soak` disturbs the product and compares it with a twin."""
