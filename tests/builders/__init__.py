"""Build what tests need: clients, exports, loads in the lake."""
