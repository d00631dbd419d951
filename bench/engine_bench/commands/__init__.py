"""`engine bench`: options in, tables or one document out."""
