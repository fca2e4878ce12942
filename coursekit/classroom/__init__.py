"""A course's submissions: read them, grade them all, keep every result, and say what came of it."""
