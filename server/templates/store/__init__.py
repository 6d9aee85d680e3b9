"""SQL of templates, their versions and their archives."""
