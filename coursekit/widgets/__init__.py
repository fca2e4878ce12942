"""Things to move in a page: what they need is drawn beforehand, so that they work without a kernel too."""
