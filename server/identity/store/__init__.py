"""SQL of identity: rows in, values out. Reads are filtered by what the actor reaches."""
