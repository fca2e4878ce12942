"""Lesson 1 without a line of code: look at photos, train, see the mistakes, correct labels, try, export."""
