"""What a workspace tells a model about itself: instruction files and skills."""
