"""Follow a CRM's events: Salesforce's Pub/Sub API, by gRPC and Avro."""
