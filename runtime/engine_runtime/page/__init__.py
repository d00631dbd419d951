"""The profile of users as one HTML page for the people it is about."""
