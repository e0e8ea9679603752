"""Follow each client's CRM between mornings: what changes there is in the lake within seconds."""
