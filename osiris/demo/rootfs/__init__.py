"""The Debian root file system that the clinic's hosts share: built once, kept as one file."""

from osiris.demo.rootfs.build import ensure

__all__ = ["ensure"]
