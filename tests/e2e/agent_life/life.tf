# All that an agent does while it lives. Together with main.tf of the starter "local", whose first
# value the test has collected every second.

resource "coder_app" "web" {
  agent_id     = coder_agent.main.id
  slug         = "web"
  display_name = "Web"
  url          = "http://localhost:1"

  healthcheck {
    url       = "${data.coder_workspace.me.access_url}/healthz"
    interval  = 1
    threshold = 3
  }
}

resource "coder_app" "sick" {
  agent_id     = coder_agent.main.id
  slug         = "sick"
  display_name = "Sick"
  url          = "http://localhost:1"

  healthcheck {
    url       = "http://localhost:1/"
    interval  = 1
    threshold = 2
  }
}

resource "coder_script" "tick" {
  agent_id     = coder_agent.main.id
  display_name = "tick"
  cron         = "*/2 * * * * *"
  script       = "echo tick"
}

resource "coder_script" "bye" {
  agent_id     = coder_agent.main.id
  display_name = "bye"
  run_on_stop  = true
  script       = "sleep 1; echo stopped > \"$HOME/stopped\""
}
