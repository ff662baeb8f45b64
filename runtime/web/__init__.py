"""What the portal and the console share: one look, one set of words, sessions and safe forms."""
