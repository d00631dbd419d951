"""What a profile says to a person: basics, habits, interests, spending."""
