"""What `ssh`, `port-forward` and `ping` share: find an agent, wait for it, open streams to it."""
