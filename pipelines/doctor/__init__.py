"""Propose a client's file from a folder of its exports: what each file is, with the reason."""
