"""Templates that are wrong, each in a way of its own: what their authors are told is golden."""

from tests.server.terraform.world import HEADER

AGENT = """
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}
"""
BOX = """
resource "terraform_data" "box" {
  input = coder_agent.main.id
}
"""


def parameter(arguments: str) -> str:
    """Return a parameter called ``region`` with these arguments."""
    lines = "\n".join(f"  {line}" for line in arguments.strip().splitlines())
    return f'\ndata "coder_parameter" "region" {{\n  name = "region"\n{lines}\n}}\n'


def preset(name: str, arguments: str = "") -> str:
    """Return a preset."""
    return f'\ndata "coder_workspace_preset" "{name}" {{\n  name = "{name}"\n{arguments}}}\n'


_BODIES = {
    "syntax_error": 'resource "terraform_data" "a" {\n',
    "broken_heredoc": "locals {\n  script = <<-EOT\n    echo hello\n}\n",
    "unclosed_string": 'locals {\n  greeting = "hello\n}\n',
    "unknown_variable": AGENT + '\noutput "a" {\n  value = var.rejion\n}\n',
    "unknown_resource": 'output "a" {\n  value = coder_agent.gone.id\n}\n',
    "unknown_resource_type": 'resource "coder_agnet" "main" {\n  os = "linux"\n}\n',
    "wrong_type": AGENT.replace("}", '  connection_timeout = "soon"\n}'),
    "wrong_type_of_a_variable": (
        'variable "sizes" {\n  type    = list(number)\n  default = ["big"]\n}\n'
    ),
    "unsupported_argument": AGENT.replace("}", '  color = "red"\n}'),
    "missing_argument": 'resource "coder_agent" "main" {\n  os = "linux"\n}\n',
    "unknown_function": 'output "a" {\n  value = upcase("x")\n}\n',
    "bad_function_argument": 'output "a" {\n  value = cidrsubnet("nonsense", 8, 1)\n}\n',
    "index_out_of_range": (
        'variable "n" {\n  default = 3\n}\noutput "a" {\n  value = ["a"][var.n]\n}\n'
    ),
    "cycle": (
        'resource "terraform_data" "hen" {\n  input = terraform_data.egg.id\n}\n'
        'resource "terraform_data" "egg" {\n  input = terraform_data.hen.id\n}\n'
    ),
    "count_unknown": (
        'resource "terraform_data" "a" {}\n'
        'resource "terraform_data" "b" {\n  count = length(terraform_data.a.id)\n}\n'
    ),
    "failed_validation": (
        'variable "size" {\n  default = 30\n  validation {\n'
        '    condition     = var.size < 20\n    error_message = "At most 20 GiB."\n  }\n}\n'
    ),
    "missing_required_variable": 'variable "token" {\n  sensitive = true\n}\nvariable "zone" {}\n',
    "missing_module": 'module "ide" {\n  source = "./modules/ide"\n}\n',
    "unreachable_module_registry": (
        'module "ide" {\n  source  = "registry.invalid/acme/ide/coder"\n  version = "1.0.0"\n}\n'
    ),
    "missing_provider": 'resource "dokcer_container" "ws" {\n  image = "ubuntu"\n}\n',
    "duplicate_agent": (
        AGENT
        + BOX
        + AGENT.replace('"main"', '"Main"')
        + BOX.replace("box", "crate").replace(".main.", ".Main.")
    ),
    "agent_name_with_underscore": (
        AGENT.replace("main", "my_agent") + BOX.replace("main", "my_agent")
    ),
    "duplicate_app_slug": (
        AGENT
        + BOX
        + 'resource "coder_app" "one" {\n  agent_id = coder_agent.main.id\n  slug     = "ide"\n}\n'
        + 'resource "coder_app" "two" {\n  agent_id = coder_agent.main.id\n  slug     = "ide"\n}\n'
    ),
    "bad_app_slug": (
        AGENT + 'resource "coder_app" "one" {\n  agent_id = coder_agent.main.id\n'
        '  slug     = "My_IDE"\n}\n'
    ),
    "script_that_never_runs": (
        AGENT
        + BOX
        + 'resource "coder_script" "s" {\n  agent_id     = coder_agent.main.id\n'
        + '  display_name = "Setup"\n  script       = "true"\n}\n'
    ),
    "immutable_and_ephemeral": parameter('default   = "eu"\nephemeral = true\nmutable   = false'),
    "ephemeral_without_default": parameter("ephemeral = true\nmutable   = true"),
    "bad_regex": parameter(
        'default = "eu"\nvalidation {\n  regex = "(?!us)"\n  error = "Not the US."\n}'
    ),
    "option_not_of_type": parameter(
        'type    = "number"\ndefault = "1"\noption {\n  name  = "One"\n  value = "1"\n}\n'
        'option {\n  name  = "Two"\n  value = "two"\n}'
    ),
    "duplicate_parameter": parameter('default = "eu"')
    + parameter('default = "us"').replace(
        '"coder_parameter" "region"', '"coder_parameter" "other"'
    ),
    "several_default_presets": preset("small", "  default = true\n")
    + preset("large", "  default = true\n"),
    "env_set_twice": AGENT
    + BOX
    + "".join(
        f'resource "coder_env" "{name}" {{\n  agent_id       = coder_agent.main.id\n'
        f'  name           = "EDITOR"\n  value          = "{name}"\n'
        '  merge_strategy = "error"\n}\n'
        for name in ("vim", "zed")
    ),
    "terraform_too_old": 'terraform {\n  required_version = ">= 99.0"\n}\n',
}

BROKEN: dict[str, dict[str, str]] = {name: {"main.tf": HEADER + b} for name, b in _BODIES.items()}
BROKEN["unreachable_provider"] = {
    "main.tf": (
        "terraform {\n  required_providers {\n"
        '    thing = {\n      source = "localhost:1/acme/thing"\n    }\n  }\n}\n'
        'resource "thing_box" "ws" {}\n'
    )
}
BROKEN["fault_inside_a_module"] = {
    "main.tf": HEADER + 'module "ide" {\n  source = "./ide"\n}\n',
    "ide/main.tf": HEADER + AGENT.replace("main", "dev_box") + 'output "id" {\n  value = 1\n}\n',
}
