"""Drafting a spec from a plug-in: what its controls are called, do, and sound like."""
