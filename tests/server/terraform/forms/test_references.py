"""References in expressions: found in code, never in text, comments or attribute names."""

import pytest

from server.terraform.forms.references import Reference, calls, references, rewrite


def found(text: str) -> list[str]:
    return [".".join((one.kind, *one.names)) for one in references(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("local.a + var.b", ["local.a", "var.b"]),
        ("data.coder_parameter.x.value", ["data.coder_parameter.x"]),
        ("docker_image.main[0].id", ["resource.docker_image.main"]),
        ("resource.docker_image.main.id", ["resource.docker_image.main"]),
        ("-local.a", ["local.a"]),
        ("3-local.a", ["local.a"]),
        ("local . a", ["local.a"]),
        ('"${local.a}"', ["local.a"]),
        ('"%{ if var.b }${local.a}%{ endif }"', ["var.b", "local.a"]),
        ('"${lookup(local.m, "${var.k}-x")}"', ["local.m", "var.k"]),
        ('"$${local.a} %%{ if var.b }"', []),
        ('"a \\" ${local.a}"', ["local.a"]),
        ('<<EOT\n  "${local.a} # no comment\nEOT', ["local.a"]),
        ("<<-EOT\n  ${var.x}\n  EOTX\n  EOT", ["var.x"]),
        ("{ a = 1 # local.no\n b = local.yes }", ["local.yes"]),
        ("1 /* var.no */ + var.yes", ["var.yes"]),
        ("x.local.a", ["resource.x.local"]),
        ("[for k, v in var.m : v.local.x if k != null]", ["var.m", "resource.v.local"]),
        ("each.value.name + count.index + self.id + path.module", []),
        ("module.a[0].out", ["module.a"]),
    ],
)
def test_what_is_referred_to(text: str, expected: list[str]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("module.a.out", "out"),
        ("module.a[0].out", "out"),
        ('module.a["k"].out', "out"),
        ("module.a[*].out", "out"),
        ("values(module.a)", ""),
        ("module.a[var.k].out", ""),
    ],
)
def test_which_output_of_a_module_is_read(text: str, output: str) -> None:
    assert [one.output for one in references(text) if one.kind == "module"] == [output]


def test_rewriting_leaves_everything_else_as_it_was() -> None:
    text = '{\n  a = docker_image.m.id # docker_image.m\n  b = "${docker_image.m.id}"\n}'

    def put(reference: Reference) -> str | None:
        return "UNKNOWN" if reference.kind == "resource" else None

    assert rewrite(text, put) == '{\n  a = UNKNOWN.id # docker_image.m\n  b = "${UNKNOWN.id}"\n}'


def test_calls_are_seen_in_code_and_in_templates_but_not_in_text() -> None:
    text = 'join(",", ["a file (x)", "${file("b")}"]) # file("c")'
    assert [call.function for call in calls(text)] == ["join", "file"]
    script = 'echo "file (x)"\n${indent(2, file("/etc/passwd"))}\n'
    assert [call.function for call in calls(script, template=True)] == ["indent", "file"]
