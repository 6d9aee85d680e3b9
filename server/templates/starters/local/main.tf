# A workspace as a process tree on the server's own host. It has its own home directory and
# nothing else of its own: see README.md before you give it to people you do not trust.

terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
  }
}

data "coder_provisioner" "host" {}

data "coder_workspace" "me" {}

data "coder_workspace_owner" "me" {}

data "coder_parameter" "dotfiles_uri" {
  name         = "dotfiles_uri"
  display_name = "Dotfiles"
  description  = "A Git repository with your settings. It is cloned once; its install.sh runs if there is one."
  type         = "string"
  default      = ""
  mutable      = true
  icon         = "/icon/dotfiles.svg"
}

resource "coder_agent" "main" {
  os   = data.coder_provisioner.host.os
  arch = data.coder_provisioner.host.arch

  env = {
    DOTFILES_URI        = data.coder_parameter.dotfiles_uri.value
    GIT_AUTHOR_NAME     = local.author
    GIT_AUTHOR_EMAIL    = data.coder_workspace_owner.me.email
    GIT_COMMITTER_NAME  = local.author
    GIT_COMMITTER_EMAIL = data.coder_workspace_owner.me.email
  }

  startup_script = <<-EOT
    if [ -n "$DOTFILES_URI" ] && [ ! -e "$HOME/.dotfiles" ]; then
      git clone -- "$DOTFILES_URI" "$HOME/.dotfiles" || exit 1
      if [ -x "$HOME/.dotfiles/install.sh" ]; then
        cd "$HOME/.dotfiles" && ./install.sh
      fi
    fi
  EOT

  metadata {
    key          = "load"
    display_name = "Load of the host"
    script       = "uptime | sed 's/.*averages*: *//'"
    interval     = 15
    timeout      = 5
    order        = 1
  }

  metadata {
    key          = "home"
    display_name = "Home directory"
    script       = "du -sh \"$HOME\" | cut -f1"
    interval     = 600
    timeout      = 60
    order        = 2
  }
}

locals {
  # A person without a full name is called "default" here.
  author = (
    data.coder_workspace_owner.me.full_name == "default"
    ? data.coder_workspace_owner.me.name
    : data.coder_workspace_owner.me.full_name
  )

  # Every script below begins with this. `sh` is all it needs, on Linux and macOS.
  # WORKSPACE_ID comes from the environment; processes of the workspace carry it in theirs as
  # CODER_LOCAL_WORKSPACE, so that they can be found wherever they went.
  common = <<-EOT
    set -eu
    umask 077
    dir="$${XDG_DATA_HOME:-$${HOME:-$(cd ~ && pwd)}/.local/share}/coder/workspaces/$WORKSPACE_ID"
    marker="CODER_LOCAL_WORKSPACE=$WORKSPACE_ID"

    pids() {
      if [ -r /proc/self/environ ]; then
        grep -lsF "$marker" /proc/[0-9]*/environ | cut -d/ -f3 || :
      else
        ps -axEww -o pid= -o command= | grep -F "$marker" | grep -v grep | awk '{print $1}' || :
      fi
    }

    wait_until_gone() { # pid or "all", tenths of a second
      left=$2
      while [ "$left" -gt 0 ]; do
        if [ "$1" = all ]; then
          [ -n "$(pids)" ] || return 0
        else
          # Not `kill -0`: that also finds the dead whom nobody has buried.
          pids | grep -qx "$1" || return 0
        fi
        sleep 0.1 2>/dev/null || sleep 1
        left=$((left - 1))
      done
      return 1
    }

    stop() {
      agent=$(cat "$dir/agent.pid" 2>/dev/null || :)
      # A pid is used again sooner or later: only one that carries the marker is the agent.
      if [ -n "$agent" ] && pids | grep -qx "$agent"; then
        kill -TERM "$agent" 2>/dev/null || :
        # It reports its state and runs the scripts that are to run on stop.
        wait_until_gone "$agent" 300 || echo "The agent did not stop by itself in time."
      fi
      rounds=20
      while [ "$rounds" -gt 0 ] && rest=$(pids) && [ -n "$rest" ]; do
        signal=KILL
        [ "$rounds" -lt 20 ] || signal=TERM
        kill -s "$signal" $rest 2>/dev/null || :
        wait_until_gone all 10 || :
        rounds=$((rounds - 1))
      done
      rm -f "$dir/agent.pid" "$dir/token"
      [ -z "$(pids)" ] || { echo "Some processes of the workspace cannot be killed: $(pids)"; exit 1; }
    }
  EOT

  delete_home = <<-EOT
    ${local.common}
    stop
    # Modules and caches like to be read-only.
    chmod -R u+rwX "$dir" 2>/dev/null || :
    rm -rf "$dir"
  EOT

  start = <<-EOT
    ${local.common}
    # A build that was cut short may have left an agent behind. There is only ever one.
    stop
    mkdir -p "$dir"
    if [ ! -d "$dir/home" ]; then
      mkdir "$dir/home"
      cp -R /etc/skel/. "$dir/home/" 2>/dev/null || :
    fi
    mkdir -p "$dir/run" "$dir/logs" "$dir/scripts"
    printf '%s' "$AGENT_TOKEN" >"$dir/token"
    printf '%s\n' "$AGENT_SCRIPT" >"$dir/agent.sh"

    user=$(id -un 2>/dev/null || id -u)
    detach=$(command -v setsid || :)
    [ -n "$detach" ] || detach='perl -MPOSIX -e setsid();exec(@ARGV)'
    cd "$dir/home"
    umask 022
    # Redirected, because terraform waits for everything that holds its pipes.
    env -i \
      HOME="$dir/home" \
      USER="$user" \
      LOGNAME="$user" \
      PATH="$${PATH:-/usr/local/bin:/usr/bin:/bin}" \
      SHELL="$${SHELL:-$(command -v bash || echo /bin/sh)}" \
      LANG="$${LANG:-C.UTF-8}" \
      XDG_RUNTIME_DIR="$dir/run" \
      BINARY_DIR="$dir/bin" \
      CODER_LOCAL_WORKSPACE="$WORKSPACE_ID" \
      CODER_AGENT_TOKEN_FILE="$dir/token" \
      CODER_AGENT_LOG_DIR="$dir/logs" \
      CODER_AGENT_SCRIPT_DATA_DIR="$dir/scripts" \
      CODER_AGENT_PPROF_ADDRESS= \
      CODER_AGENT_PROMETHEUS_ADDRESS= \
      CODER_AGENT_DEBUG_ADDRESS= \
      $detach sh "$dir/agent.sh" </dev/null >"$dir/logs/agent.out" 2>&1 &
    echo $! >"$dir/agent.pid"
    echo "The agent runs in $dir."
  EOT

  stop = <<-EOT
    ${local.common}
    stop
  EOT
}

# Terraform runs no destroy provisioner of a resource whose creation failed half-way. So what undoes
# something belongs to resources whose creation does nothing; they exist before there is anything.

# What stays while the workspace is stopped: the home directory. A start makes it.
resource "terraform_data" "home" {
  # The scripts that undo something are kept with it, so that they always match it.
  input = {
    workspace_id = data.coder_workspace.me.id
    delete       = local.delete_home
  }

  provisioner "local-exec" {
    when        = destroy
    command     = "eval \"$SCRIPT\""
    environment = { SCRIPT = self.input.delete, WORKSPACE_ID = self.input.workspace_id }
    quiet       = true
  }
}

# What exists while the workspace runs: the agent and everything it started.
resource "terraform_data" "processes" {
  count = data.coder_workspace.me.start_count

  input = {
    workspace_id = terraform_data.home.input.workspace_id
    stop         = local.stop
  }

  provisioner "local-exec" {
    when        = destroy
    command     = "eval \"$SCRIPT\""
    environment = { SCRIPT = self.input.stop, WORKSPACE_ID = self.input.workspace_id }
    quiet       = true
  }
}

resource "terraform_data" "workspace" {
  count = data.coder_workspace.me.start_count

  # Every start makes a new token, and so a new agent.
  triggers_replace = [sha256(coder_agent.main.token), coder_agent.main.init_script]

  # Handed over in the environment: an error then shows what the script said, not its text.
  provisioner "local-exec" {
    command = "eval \"$SCRIPT\""
    environment = {
      SCRIPT       = local.start
      WORKSPACE_ID = terraform_data.processes[0].input.workspace_id
      AGENT_SCRIPT = coder_agent.main.init_script
      # Not secret from this script; otherwise terraform would hide all of its output.
      AGENT_TOKEN = nonsensitive(coder_agent.main.token)
    }
    quiet = true
  }
}
