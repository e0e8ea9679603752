"""Erase persons, and age what is older than it may be: rows stay, and stand for nobody."""
