# A workspace as a container of the Docker daemon that the server can reach, with its home on a volume.

terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
    docker = {
      source = "kreuzwerker/docker"
    }
  }
}

variable "docker_host" {
  type        = string
  default     = ""
  description = "The address of the Docker daemon, such as unix:///var/run/docker.sock. Empty: the server's own."
}

provider "docker" {
  host = var.docker_host != "" ? var.docker_host : null
}

data "coder_provisioner" "host" {}

data "coder_workspace" "me" {}

data "coder_workspace_owner" "me" {}

data "coder_parameter" "image" {
  name         = "image"
  display_name = "Image"
  description  = "The container image. It needs a user `coder` whose home is /home/coder."
  default      = "codercom/enterprise-base:ubuntu"
  mutable      = true
  icon         = "/icon/docker.svg"
}

locals {
  # A person without a full name is called "default" here.
  author = (
    data.coder_workspace_owner.me.full_name == "default"
    ? data.coder_workspace_owner.me.name
    : data.coder_workspace_owner.me.full_name
  )
}

resource "coder_agent" "main" {
  os   = "linux"
  arch = data.coder_provisioner.host.arch

  startup_script = <<-EOT
    set -e
    if [ ! -f "$HOME/.prepared" ]; then
      cp -rT /etc/skel "$HOME" 2>/dev/null || true
      touch "$HOME/.prepared"
    fi
  EOT

  env = {
    GIT_AUTHOR_NAME     = local.author
    GIT_AUTHOR_EMAIL    = data.coder_workspace_owner.me.email
    GIT_COMMITTER_NAME  = local.author
    GIT_COMMITTER_EMAIL = data.coder_workspace_owner.me.email
  }
}

resource "docker_volume" "home" {
  name = "coder-${data.coder_workspace.me.id}-home"

  # Whatever happens to the template: nobody loses a home directory.
  lifecycle {
    ignore_changes = all
  }

  labels {
    label = "coder.workspace_id"
    value = data.coder_workspace.me.id
  }
}

resource "docker_container" "workspace" {
  count = data.coder_workspace.me.start_count

  image    = data.coder_parameter.image.value
  name     = "coder-${data.coder_workspace_owner.me.name}-${lower(data.coder_workspace.me.name)}"
  hostname = data.coder_workspace.me.name

  # Inside the container, the host's loopback address is the container's own.
  entrypoint = [
    "sh", "-c",
    replace(coder_agent.main.init_script, "/localhost|127\\.0\\.0\\.1/", "host.docker.internal"),
  ]
  env = ["CODER_AGENT_TOKEN=${coder_agent.main.token}"]

  host {
    host = "host.docker.internal"
    ip   = "host-gateway"
  }

  volumes {
    container_path = "/home/coder"
    volume_name    = docker_volume.home.name
    read_only      = false
  }

  labels {
    label = "coder.workspace_id"
    value = data.coder_workspace.me.id
  }
}
