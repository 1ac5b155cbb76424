"""The tutor: what it knows, how it finds it, how it phrases it, and how it checks itself."""
