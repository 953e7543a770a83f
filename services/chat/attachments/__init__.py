"""Files that people send: what they are, what they must not tell, how they look small, where they are kept."""
