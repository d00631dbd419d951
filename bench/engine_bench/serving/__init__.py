"""A whole night beside what a user would write today: from events and texts to profiles and recommendations."""
