"""Live updates: every event that concerns a user, once and in order, also after an absence."""

from gateway.live.hub import Live, TooManyStreams

__all__ = ["Live", "TooManyStreams"]
