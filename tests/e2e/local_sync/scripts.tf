# Two scripts that start at the same moment: Claude Code needs the repository that the other one
# clones. Together with main.tf of the starter "local" this is the template "local-sync".

resource "coder_app" "claude" {
  agent_id     = coder_agent.main.id
  slug         = "claude"
  display_name = "Claude Code"
  command      = "claude"
}

resource "coder_script" "claude" {
  agent_id     = coder_agent.main.id
  display_name = "Claude Code"
  run_on_start = true
  script       = <<-EOT
    #!/bin/sh
    set -eu
    # Whatever happens here, nobody shall wait for us for ever.
    trap 'coder exp sync complete claude' EXIT
    # The git script must have completed before this one goes on.
    coder exp sync want claude git
    coder exp sync start claude | tee "$HOME/waiting"

    echo "claude begins, the repository has: $(ls "$HOME/project")"
    curl -fsS --unix-socket "$CODER_AGENT_SOCKET_PATH" -X PATCH http://localhost/api/v0/app-status \
      -d '{"app_slug": "claude", "state": "working", "message": "reading the repository"}'
    echo "claude ends"
  EOT
}

resource "coder_script" "git" {
  agent_id     = coder_agent.main.id
  display_name = "git"
  run_on_start = true
  script       = <<-EOT
    #!/bin/sh
    set -eu
    trap 'coder exp sync complete git' EXIT
    # Not before claude waits: this is how an unlucky start looks.
    until grep -qs Waiting "$HOME/waiting"; do sleep 0.1; done
    coder exp sync start git

    echo "git begins"
    rm -rf "$HOME/origin" "$HOME/project"
    git init -q "$HOME/origin"
    git -C "$HOME/origin" -c user.name=a -c user.email=a@example.com commit -q --allow-empty -m one
    git clone -q "$HOME/origin" "$HOME/project"
    echo "Hello" >"$HOME/project/README.md"
    echo "git ends"
  EOT
}
