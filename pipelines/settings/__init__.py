"""What a client may set, checked: one file a subject."""
