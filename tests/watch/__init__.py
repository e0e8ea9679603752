"""The watch: who is judged how, and who is told."""
