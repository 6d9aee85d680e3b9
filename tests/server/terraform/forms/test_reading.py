"""Slices that try to read what is not theirs, in every way that terraform's grammar leaves."""

from pathlib import Path

import pytest

from server.terraform import FormQuestion, InstalledEvaluator, NoForm, Options, Owner, TemplateFacts
from server.terraform.forms import cut, reading
from server.terraform.forms.declared import NoSlice
from server.terraform.forms.references import calls
from tests.server.terraform.world import needs_terraform, tar

SECRET = "/etc/hostname"
PARAMETER = 'data "coder_parameter" "p" {\n  name = "p"\n  default = %s\n}\n'
LISTING = "zzzz_modules__.json"
MODULES = '{"Modules": [{"Key": "", "Source": "", "Dir": "."}]}'

HIDDEN = [
    f'file/* x */("{SECRET}")',
    f'file//x\n("{SECRET}")',
    f'join("", [<<EOT\n\u00a0EOT\n, file("{SECRET}"), <<EOT\nEOT\n])',
    f'join("", ["x" /*/ " */ , file("{SECRET}") /*/ " */ ])',
    # The heredoc's end in what is put into it, and a quote behind that hides the rest.
    f'join("", [<<EOT\n${{[for\nEOT\nin [1]: "a"][0]}} "\nEOT\n, file("{SECRET}"), ""])',
    'join("", [for d in ["/etc"] : join("", fileset(path.root == d ? d : d, "host*"))])',
    'join("", [for d in ["/etc"] : join("", fileset("${path.root == d ? d : d}", "host*"))])',
    'templatefile(".coder-variables.tfvars.json", {})',
    'templatefile("${path.module}/.terraform/modules/modules.json", {})',
    f'core::file("{SECRET}")',
]


def unpacked(directory: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(text.encode())
    return directory


@pytest.mark.parametrize("default", HIDDEN)
def test_a_reader_of_files_cannot_hide_behind_terraforms_grammar(
    tmp_path: Path, default: str
) -> None:
    with pytest.raises(NoSlice, match=r"not plain to see|cannot be read"):
        reading.check(unpacked(tmp_path, {"main.tf": PARAMETER % default}))


@pytest.mark.parametrize("default", HIDDEN)
def test_a_template_that_hides_a_reader_has_no_slice(tmp_path: Path, default: str) -> None:
    made = cut(unpacked(tmp_path, {"main.tf": PARAMETER % default}))
    assert "not plain to see" in made.problem or "cannot be read" in made.problem


def test_terraforms_own_files_are_checked_as_templates_too(tmp_path: Path) -> None:
    files = {"main.tf": PARAMETER % 'templatefile("b.tf", {})', "b.tf": f'# ${{file("{SECRET}")}}'}
    with pytest.raises(NoSlice, match="file\\(\\)"):
        reading.check(unpacked(tmp_path, files))


def test_a_comment_within_an_expression_is_checked_as_a_template_too(tmp_path: Path) -> None:
    text = PARAMETER % f'[ # ${{file("{SECRET}")}}\n templatefile("main.tf", {{}})][0]'
    assert "file()" in cut(unpacked(tmp_path, {"main.tf": text})).problem


def test_a_lone_return_is_refused_because_it_ends_no_comment(tmp_path: Path) -> None:
    files = {"main.tf": f'# \r /*\n{PARAMETER % f"""file("{SECRET}")"""}# \r */\n'}
    with pytest.raises(NoSlice, match="carriage return"):
        reading.check(unpacked(tmp_path, files))


def test_state_of_others_cannot_be_hidden_in_a_heredoc(tmp_path: Path) -> None:
    text = (
        "locals {\n  a = <<EOT\n\u00a0EOT\n}\n"
        'data "terraform_remote_state" "s" {\n  backend = "local"\n'
        '  config = { path = "/var/lib/other.tfstate" }\n}\n'
        "locals {\n  b = <<EOT\nEOT\n}\n"
    )
    with pytest.raises(NoSlice, match="terraform_remote_state"):
        reading.check(unpacked(tmp_path, {"main.tf": text}))


def test_files_and_sets_of_files_beside_it_are_fine(tmp_path: Path) -> None:
    text = PARAMETER % (
        'join("", [file("a.txt"), file("${path.module}/d/b.json"), join("", fileset(path.module, '
        '"*.txt")), join("", fileset("${path.module}/d", "*"))])\n'
        '  description = <<-EOT\n    It reads a file (or two), "as is": ${join("", [\n"}"])} 100%\n'
        "  EOT\n"
    )
    reading.check(unpacked(tmp_path, {"main.tf": text, "a.txt": "a", "d/b.json": "b"}))


def test_many_calls_are_read_in_no_time(tmp_path: Path) -> None:
    """A copy of the rest of a text for each call took hours for a few megabytes."""
    text = PARAMETER % ("[" + "a(1)," * 20_000 + "]")
    assert max(len(call.rest) for call in calls(text)) < len(text) / 10
    reading.check(unpacked(tmp_path, {"main.tf": text}))


@needs_terraform
@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (
            {
                "main.tf": 'module "m" {\n  source = "./m"\n}\n',
                "m/main.tf": "",
                LISTING: '{"Modules": [{"Key": "", "Source": "", "Dir": "."}, {"Key": "m", '
                '"Source": "./m", "Dir": "m", "dir": "%s"}]}',
            },
            "",
        ),
        (
            {
                "main.tf": "",
                LISTING: '{"Modules": [{"Key": "m", "Source": "./m", "Dir": "../later"}]}',
            },
            "lies elsewhere",
        ),
    ],
)
async def test_modules_are_the_slices_own_however_their_list_is_written(
    tmp_path: Path, files: dict[str, str], reason: str
) -> None:
    """Go reads "dir" as "Dir", the last one wins; and a folder may come to be later."""
    elsewhere = unpacked(tmp_path / "e", {"x.tf": PARAMETER % f'file("{SECRET}")'})
    files = {name: text.replace("%s", str(elsewhere)) for name, text in files.items()}
    evaluator = InstalledEvaluator(Options(cache_dir=tmp_path / "cache"))
    question = FormQuestion(
        slice=tar(files),
        variables={},
        owner=Owner(name="dora"),
        template=TemplateFacts(),
        access_url="http://coder.test",
        inputs={},
        previous={},
    )
    if reason:
        with pytest.raises(NoForm, match=reason):
            await evaluator.evaluate(question)
    else:
        assert not (await evaluator.evaluate(question)).parameters
