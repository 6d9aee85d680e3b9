# A machine that somebody else runs. Coder makes nothing: a person starts the agent on it once.

terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
  }
}

data "coder_workspace" "me" {}

data "coder_parameter" "os" {
  name         = "os"
  display_name = "Operating system"
  description  = "What the machine runs."
  default      = "linux"
  option {
    name  = "Linux"
    value = "linux"
  }
  option {
    name  = "macOS"
    value = "darwin"
  }
  option {
    name  = "Windows"
    value = "windows"
  }
}

data "coder_parameter" "arch" {
  name         = "arch"
  display_name = "Architecture"
  description  = "The machine's processor."
  default      = "amd64"
  option {
    name  = "x86-64"
    value = "amd64"
  }
  option {
    name  = "ARM, 64 bit"
    value = "arm64"
  }
}

resource "coder_agent" "main" {
  os   = data.coder_parameter.os.value
  arch = data.coder_parameter.arch.value
}

resource "coder_external_agent" "main" {
  count    = data.coder_workspace.me.start_count
  agent_id = coder_agent.main.id
}
