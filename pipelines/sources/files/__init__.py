"""Read exports: files, buckets and Postgres tables, in every format there is."""
