"""The CRM is followed between mornings."""
