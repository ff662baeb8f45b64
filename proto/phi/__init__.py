"""The scrubber: text in, `Scrubbed` out; the one door for text that leaves a site."""
