# The smallest template: an agent, and a place where your own infrastructure goes.

terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
  }
}

data "coder_workspace" "me" {}

data "coder_workspace_owner" "me" {}

resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"

  # Runs at every start, after the agent has connected.
  startup_script = <<-EOT
    set -e
    if [ ! -f "$HOME/.prepared" ]; then
      cp -rT /etc/skel "$HOME" 2>/dev/null || true
      touch "$HOME/.prepared"
    fi
  EOT

  metadata {
    key          = "load"
    display_name = "Load"
    script       = "uptime | sed 's/.*averages*: *//'"
    interval     = 15
    timeout      = 5
  }
}

resource "coder_env" "editor" {
  agent_id = coder_agent.main.id
  name     = "EDITOR"
  value    = "vi"
}

# Replace this with a machine, a container, anything that can run a program. To be a workspace it
# has to run coder_agent.main.init_script with CODER_AGENT_TOKEN set to coder_agent.main.token.
resource "terraform_data" "machine" {
  # Zero while the workspace is stopped. Resources without this, such as disks, stay.
  count = data.coder_workspace.me.start_count

  input = {
    name  = "${data.coder_workspace_owner.me.name}-${data.coder_workspace.me.name}"
    agent = coder_agent.main.id
  }
}

resource "coder_metadata" "machine" {
  count       = data.coder_workspace.me.start_count
  resource_id = terraform_data.machine[0].id

  item {
    key   = "name"
    value = terraform_data.machine[0].output.name
  }
}
