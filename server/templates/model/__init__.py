"""Templates, versions, archives and values, as pure values and rules."""
