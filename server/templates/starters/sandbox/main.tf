# A workspace as a process tree on the server's own host, in a sandbox made by bubblewrap: it sees the
# host's programs, and of everything else only what is its own. See README.md for what that is worth.

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
    script       = "cut -d' ' -f1-3 /proc/loadavg"
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

  # What the host lacks, as far as it can be seen without trying. A start tries it, and says the same.
  has_bwrap = anytrue([
    for folder in ["/usr/bin", "/bin", "/usr/local/bin", "/run/current-system/sw/bin", pathexpand("~/.nix-profile/bin")] :
    fileexists("${folder}/bwrap")
  ])
  no_namespaces = try(trimspace(file("/proc/sys/user/max_user_namespaces")), "") == "0"

  need_linux      = "The sandbox template needs a Linux host: it isolates with Linux namespaces."
  need_bwrap      = "The sandbox template needs the program bwrap on the host of the server. Install the package bubblewrap there (apt-get install bubblewrap, dnf install bubblewrap, apk add bubblewrap), or use another template."
  need_namespaces = "The sandbox template needs user namespaces, and the kernel setting user.max_user_namespaces of this host is 0. Allow them: sysctl -w user.max_user_namespaces=10000 (and put it into /etc/sysctl.d), or use another template."

  # Every script below begins with this. WORKSPACE_ID comes from the environment; processes of the
  # workspace carry it in theirs as CODER_LOCAL_WORKSPACE.
  common = <<-EOT
    set -eu
    umask 077
    dir="$${XDG_DATA_HOME:-$${HOME:-$(cd ~ && pwd)}/.local/share}/coder/workspaces/$WORKSPACE_ID"
    marker="CODER_LOCAL_WORKSPACE=$WORKSPACE_ID"

    pids() {
      grep -lsF "$marker" /proc/[0-9]*/environ | cut -d/ -f3 || :
    }

    started() { # pid; when it began, which tells it from a later process of the same number
      sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
    }

    init() { # the first process in the sandbox: when it dies, the kernel ends all others there
      read -r pid began 2>/dev/null <"$dir/sandbox" || return 0
      [ -z "$pid" ] || [ "$(started "$pid")" != "$began" ] || echo "$pid"
    }

    agent() { # the second
      first=$(init)
      [ -n "$first" ] || return 0
      grep -ls "^PPid:[[:space:]]*$first\$" /proc/[0-9]*/status | while read -r status; do
        grep -qs "^NSpid:.*[[:space:]]2\$" "$status" && echo "$status" | cut -d/ -f3
      done || :
    }

    wait_until_gone() { # what to ask, tenths of a second
      left=$2
      while [ "$left" -gt 0 ]; do
        [ -n "$($1)" ] || return 0
        sleep 0.1 2>/dev/null || sleep 1
        left=$((left - 1))
      done
      return 1
    }

    all() {
      init
      pids
    }

    stop() {
      found=$(agent)
      if [ -n "$found" ]; then
        kill -TERM $found 2>/dev/null || :
        # It reports its state and runs the scripts that are to run on stop.
        wait_until_gone agent 300 || echo "The agent did not stop by itself in time."
      fi
      rounds=20
      while [ "$rounds" -gt 0 ] && rest=$(all) && [ -n "$rest" ]; do
        kill -KILL $rest 2>/dev/null || :
        wait_until_gone all 10 || :
        rounds=$((rounds - 1))
      done
      [ -z "$(all)" ] || { echo "Some processes of the workspace cannot be killed:" $(all); exit 1; }
      rm -f "$dir/sandbox" "$dir/token"
      clear_out "$dir/tmp" "$dir/run"
    }

    clear_out() {
      # Modules and caches like to be read-only.
      chmod -R u+rwX "$@" 2>/dev/null || :
      rm -rf "$@"
    }
  EOT

  delete_home = <<-EOT
    ${local.common}
    stop
    clear_out "$dir"
  EOT

  # Say why there is no sandbox, and end.
  refuse = <<-EOT
    refuse() {
      value() { cat "/proc/sys/$1" 2>/dev/null || :; }
      echo "This host cannot run a sandbox: $1"
      if [ "$(value user/max_user_namespaces)" = 0 ]; then
        echo "The kernel setting user.max_user_namespaces is 0. Allow user namespaces:"
        echo "  sysctl -w user.max_user_namespaces=10000"
      elif [ "$(value kernel/unprivileged_userns_clone)" = 0 ] && [ "$(id -u)" != 0 ]; then
        echo "The kernel setting kernel.unprivileged_userns_clone is 0. Allow user namespaces:"
        echo "  sysctl -w kernel.unprivileged_userns_clone=1"
      elif [ "$(value kernel/apparmor_restrict_unprivileged_userns)" = 1 ] && [ "$(id -u)" != 0 ]; then
        echo "The kernel setting kernel.apparmor_restrict_unprivileged_userns is 1. Give bwrap an AppArmor"
        echo "profile that has the rule 'userns,', or:"
        echo "  sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
      else
        echo "If the server runs in a container, the container must allow user namespaces and a /proc of"
        echo "their own: --security-opt seccomp=unconfined --security-opt systempaths=unconfined."
      fi
      echo "Or use a template that needs no sandbox."
      exit 1
    }
  EOT

  start = <<-EOT
    ${local.common}
    ${local.refuse}
    if ! command -v bwrap >/dev/null; then
      echo "${local.need_bwrap}"
      exit 1
    fi
    # A build that was cut short may have left a sandbox behind. There is only ever one.
    stop
    mkdir -p "$dir"
    if [ ! -d "$dir/home" ]; then
      mkdir "$dir/home"
      cp -R /etc/skel/. "$dir/home/" 2>/dev/null || :
    fi
    mkdir -p "$dir/tmp" "$dir/run" "$dir/agent" "$dir/empty"
    printf '%s' "$AGENT_TOKEN" >"$dir/token"
    printf '%s\n' "$AGENT_SCRIPT" >"$dir/agent.sh"
    printf 'root:x:0:0:root:/:/usr/sbin/nologin\n%s:x:1000:1000::/home/%s:%s\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n' \
      coder coder "$(command -v bash || echo /bin/sh)" >"$dir/passwd"
    printf 'root:x:0:\ncoder:x:1000:\nnogroup:x:65534:\n' >"$dir/group"

    # What the agent's program reads, where that is not one file but an installation of the server.
    needs() {
      if command -v curl >/dev/null; then
        curl -fsSL --connect-timeout 10 -r 0-8191 "$AGENT_URL" 2>/dev/null
      else
        wget -q -T 10 -O - "$AGENT_URL" 2>/dev/null
      fi | head -c 8192 | tr -d '\000' | sed -n '1{/^#!/!q;};s/^# reads: //p'
    }

    # Of the host: its programs, read-only. Not its /home, /root, /srv, /mnt, /run, /sys, /tmp and /var.
    set --
    for path in /usr /opt /etc /nix /snap; do
      [ ! -d "$path" ] || set -- "$@" --ro-bind "$path" "$path"
    done
    for path in /bin /sbin /lib /lib32 /lib64 /libx32; do
      if [ -L "$path" ]; then
        set -- "$@" --symlink "$(readlink "$path")" "$path"
      elif [ -d "$path" ]; then
        set -- "$@" --ro-bind "$path" "$path"
      fi
    done
    # Not what the host keeps from its other users, though the server may read it.
    while IFS= read -r path; do
      if [ -d "$path" ]; then
        set -- "$@" --ro-bind "$dir/empty" "$path"
      elif [ -f "$path" ]; then
        set -- "$@" --ro-bind /dev/null "$path"
      fi
    done <<HIDDEN
    $({ find /etc \( -type d ! -perm -005 -o -type f ! -perm -004 \) -prune -print
        find /opt /usr/local -maxdepth 2 \( -type d ! -perm -005 -o -type f ! -perm -004 \) -prune -print
      } 2>/dev/null || :)
    HIDDEN
    # A deployment that lives among programs is none of the sandbox's business either.
    case "$dir" in
      /usr/* | /opt/* | /etc/*) set -- "$@" --ro-bind "$dir/empty" "$${dir%/*}" ;;
    esac
    # Names and certificates, which are links to elsewhere on some hosts.
    for path in $(readlink -f /etc/resolv.conf || :) /var/lib/ca-certificates; do
      case "$path" in
        /run/* | /var/*) [ ! -e "$path" ] || set -- "$@" --ro-bind "$path" "$path" ;;
      esac
    done

    set -- "$@" \
      --ro-bind "$dir/passwd" /etc/passwd --ro-bind "$dir/group" /etc/group \
      --bind "$dir/home" /home/coder --bind "$dir/tmp" /tmp --bind "$dir/tmp" /var/tmp \
      --bind "$dir/run" /run/user/1000 --bind "$dir/agent" /var/lib/coder \
      --ro-bind "$dir/token" /run/coder/token --ro-bind "$dir/agent.sh" /run/coder/agent.sh
    # Last, because it may lie below any of the others.
    while IFS= read -r path; do
      [ ! -e "$path" ] || set -- "$@" --ro-bind "$path" "$path"
    done <<NEEDED
    $(needs || :)
    NEEDED
    set -- "$@" --proc /proc --dev /dev
    # Where the server is root, the kernel takes the sandbox's user for root in these, capabilities
    # or not: kernel.core_pattern names a program that the host runs.
    for path in /proc/sys /proc/sysrq-trigger /proc/fs /proc/mtrr /proc/pressure /proc/scsi; do
      [ ! -e "$path" ] || set -- "$@" --ro-bind "$path" "$path"
    done
    set -- "$@" --remount-ro /
    set -- --unshare-user --unshare-pid --unshare-ipc --unshare-uts --unshare-cgroup-try \
      --uid 1000 --gid 1000 --cap-drop ALL --hostname "$WORKSPACE_NAME" --chdir /home/coder "$@"

    refused=$(bwrap "$@" true 2>&1) || refuse "$refused"
    : >"$dir/info"
    umask 022
    # Redirected, because terraform waits for everything that holds its pipes.
    env -i \
      HOME=/home/coder USER=coder LOGNAME=coder \
      PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
      SHELL="$(command -v bash || echo /bin/sh)" \
      LANG="$${LANG:-C.UTF-8}" \
      XDG_RUNTIME_DIR=/run/user/1000 \
      BINARY_DIR=/var/lib/coder/bin \
      CODER_LOCAL_WORKSPACE="$WORKSPACE_ID" \
      CODER_AGENT_TOKEN_FILE=/run/coder/token \
      CODER_AGENT_LOG_DIR=/var/lib/coder/logs \
      CODER_AGENT_SCRIPT_DATA_DIR=/var/lib/coder/scripts \
      CODER_AGENT_PPROF_ADDRESS= \
      CODER_AGENT_PROMETHEUS_ADDRESS= \
      CODER_AGENT_DEBUG_ADDRESS= \
      setsid "$(command -v bwrap)" --info-fd 3 "$@" sh /run/coder/agent.sh \
      </dev/null >"$dir/agent.out" 2>&1 3>"$dir/info" &
    outer=$!
    left=100
    first=
    while [ -z "$first" ]; do
      first=$(sed -n 's/.*"child-pid": *\([0-9]*\).*/\1/p' "$dir/info")
      left=$((left - 1))
      if [ "$left" = 0 ] || ! kill -0 "$outer" 2>/dev/null; then
        stop
        refuse "$(tail -n 5 "$dir/agent.out")"
      fi
      [ -n "$first" ] || sleep 0.1
    done
    echo "$first $(started "$first")" >"$dir/sandbox"
    echo "The agent runs in a sandbox. Its home is $dir/home."
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

# What exists while the workspace runs: the sandbox with the agent and everything it started.
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

  lifecycle {
    precondition {
      condition     = data.coder_provisioner.host.os == "linux"
      error_message = local.need_linux
    }
    precondition {
      condition     = local.has_bwrap
      error_message = local.need_bwrap
    }
    precondition {
      condition     = !local.no_namespaces
      error_message = local.need_namespaces
    }
  }

  # Handed over in the environment: an error then shows what the script said, not its text.
  provisioner "local-exec" {
    command = "eval \"$SCRIPT\""
    environment = {
      SCRIPT         = local.start
      WORKSPACE_ID   = terraform_data.processes[0].input.workspace_id
      WORKSPACE_NAME = data.coder_workspace.me.name
      AGENT_SCRIPT   = coder_agent.main.init_script
      AGENT_URL      = "${trimsuffix(data.coder_workspace.me.access_url, "/")}/bin/coder-${coder_agent.main.os}-${coder_agent.main.arch}"
      # Not secret from this script; otherwise terraform would hide all of its output.
      AGENT_TOKEN = nonsensitive(coder_agent.main.token)
    }
    quiet = true
  }
}
