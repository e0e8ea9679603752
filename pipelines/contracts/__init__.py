"""What each source must deliver: the one list of sources and tables."""
