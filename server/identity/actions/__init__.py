"""Use cases of identity. Those that hash take the database, the others a unit of work."""
