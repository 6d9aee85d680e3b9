"""Facts, configuration and pages of the deployment, as clients get them."""

import subprocess
from pathlib import Path

import httpx
import pytest

from coder_cli.kit.build import version
from server import web
from server.web.binaries import host_name
from tests.server.web.conftest import URL
from tests.support.people import People, Person

OUTSIDE = "http://coder.test"


async def outside(people: People) -> httpx.AsyncClient:
    return await people.client(base=OUTSIDE)


def ran_by(
    program: str, *, stdin: str = "", tools: Path = Path("/bin"), prefix: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program that finds ``tools`` first and installs below ``prefix``."""
    env = {"PATH": f"{tools}:/usr/bin:/bin", "PREFIX": str(prefix or "")}
    return subprocess.run(
        [program], input=stdin, check=False, capture_output=True, text=True, env=env
    )


async def test_build_info_is_for_everybody_and_stays(people: People) -> None:
    client = await people.client()
    first, second = [(await client.get("/buildinfo")).json() for _ in range(2)]
    assert first == second
    assert first["version"] == version()
    assert first["dashboard_url"] == URL
    assert first["upgrade_message"] == "Run the installer."
    assert first["agent_api_version"] == "2.0"
    assert len(first["deployment_id"]) == 36


async def test_the_root_says_hello(people: People) -> None:
    answer = await (await people.client()).get("/")
    assert answer.json()["message"] == "👋"


async def test_an_unknown_route_is_the_one_error_form(people: People) -> None:
    answer = await (await people.client()).get("/no/such/route")
    assert answer.status_code == 404
    assert answer.json() == {"message": "Route not found."}


@pytest.mark.parametrize("path", ["/healthz", "/latency-check"])
async def test_probes_answer_ok(people: People, path: str) -> None:
    answer = await (await outside(people)).get(path)
    assert (answer.status_code, answer.text) == (200, "OK")


async def test_the_configuration_is_for_operators_and_hides_secrets(
    people: People, owner: Person
) -> None:
    answer = await owner.api.get("/deployment/config")
    page = answer.json()
    assert page["config"]["access_url"] == URL
    options = {option["flag"]: option for option in page["options"]}
    assert options["access-url"]["value_source"] == "flag"
    assert options["postgres-url"]["value"] == ""
    assert "hunter2" not in answer.text
    member = await people.add("ben")
    assert (await member.api.get("/deployment/config")).status_code == 403
    assert (await (await people.client()).get("/deployment/config")).status_code == 401


async def test_everybody_with_an_account_may_ask_how_to_reach_workspaces(people: People) -> None:
    member = await people.add("ben")
    assert (await member.api.get("/deployment/ssh")).json() == {
        "hostname_prefix": "coder.",
        "hostname_suffix": "coder",
        "ssh_config_options": {"ForwardAgent": "yes"},
    }
    region = (await member.api.get("/regions")).json()["regions"][0]
    assert (region["name"], region["path_app_url"], region["healthy"]) == ("primary", URL, True)
    assert (await member.api.get("/experiments")).json() == []
    assert (await member.api.get("/applications/host")).json() == {"host": ""}


async def test_an_empty_deployment_has_empty_statistics(owner: Person) -> None:
    counted = (await owner.api.get("/deployment/stats")).json()
    assert counted["workspaces"]["running"] == 0
    assert counted["session_count"]["ssh"] == 0


async def test_the_update_check_asks_nobody(people: People) -> None:
    answer = await (await people.client()).get("/updatecheck")
    assert answer.json() == {"current": True, "version": version(), "url": ""}


async def test_a_report_of_a_browser_is_taken(people: People) -> None:
    answer = await (await people.client()).post("/csp/reports", content=b"{}")
    assert answer.status_code == 200


async def test_the_first_page_says_how_to_begin(people: People) -> None:
    page = (await (await outside(people)).get("/")).text
    assert f"coder login {URL}" in page
    assert 'href="/cli-auth"' in page


async def test_the_installer_installs_what_this_server_serves(
    people: People, tmp_path: Path
) -> None:
    script = (await (await outside(people)).get("/install.sh")).text
    assert f"url={URL}\n" in script
    (tmp_path / "curl").write_text('#!/bin/sh\nprintf "#!/bin/sh\\necho $4\\n" >"$3"\n')
    (tmp_path / "curl").chmod(0o755)
    ran = ran_by("sh", stdin=script, tools=tmp_path, prefix=tmp_path / "here")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert f"coder login {URL}" in ran.stdout
    installed = ran_by(str(tmp_path / "here/bin/coder"))
    assert installed.stdout == f"{URL}/bin/{host_name()}\n"


async def test_the_installer_leaves_nothing_of_what_does_not_run(
    people: People, tmp_path: Path
) -> None:
    script = (await (await outside(people)).get("/install.sh")).text
    (tmp_path / "curl").write_text('#!/bin/sh\nprintf "#!/bin/sh\\nexit 1\\n" >"$3"\n')
    (tmp_path / "curl").chmod(0o755)
    ran = ran_by("sh", stdin=script, tools=tmp_path, prefix=tmp_path / "here")
    assert ran.returncode == 1
    assert ran.stderr.endswith(f"{URL}/bin/{host_name()} sent does not run here.\n")
    assert not list((tmp_path / "here/bin").iterdir())


@pytest.mark.parametrize("path", ["/", "/cli-auth", "/assets/cli-auth.js", "/swagger"])
async def test_pages_keep_to_themselves(people: People, path: str) -> None:
    answer = await (await outside(people)).get(path)
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "img-src 'self' https: data: https://pictures.example.com" in policy
    assert "report-uri /api/v2/csp/reports" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Strict-Transport-Security"] == "max-age=60; includeSubDomains"
    assert "<script>" not in answer.text, "the policy forbids scripts inside a page"


async def test_an_asset_that_is_none_is_not_found(people: People) -> None:
    assert (await (await outside(people)).get("/assets/secret.txt")).status_code == 404


async def test_the_documentation_lists_routes_where_it_is_switched_on(
    people: People, deployment: web.Deployment
) -> None:
    client = await outside(people)
    assert "/api/v2/buildinfo" in (await client.get("/swagger")).text
    assert "/api/v2/buildinfo" in (await client.get("/swagger/doc.json")).json()["paths"]
    from server.settings import Given, load

    deployment.settings = load(Given())
    for path in ("/swagger", "/swagger/doc.json"):
        answer = await client.get(path)
        assert answer.status_code == 404
        assert answer.json() == {"message": "Swagger documentation is disabled."}


async def test_the_binary_of_this_host_is_a_launcher_until_one_is_built(
    people: People, tmp_path: Path
) -> None:
    client = await outside(people)
    path = f"/bin/{host_name()}"
    first = await client.get(path)
    assert first.text.startswith("#!/bin/sh\n")
    etag = first.headers["ETag"]
    for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        again = await client.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
    head = await client.head(path)
    assert (head.headers["ETag"], head.content) == (etag, b"")
    assert head.headers["Content-Length"] == str(len(first.content))
    built = tmp_path / "cache" / "bin" / host_name()
    built.parent.mkdir(parents=True)
    built.write_bytes(b"\x7fELF")
    answer = await client.get(path, headers={"If-None-Match": etag})
    assert (answer.status_code, answer.content) == (200, b"\x7fELF")
    assert answer.headers["ETag"] != etag
    assert answer.headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize("name", ["coder-plan9-mips", "coder-windows-armv7.exe", "..%2Fkey"])
async def test_a_binary_that_is_not_there_says_what_to_do(people: People, name: str) -> None:
    answer = await (await outside(people)).get(f"/bin/{name}")
    assert answer.status_code == 404
