"""Where configurations of dev containers are found, and where nobody looks."""

from pathlib import Path

from agent.containers.discovery import discover


def write(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    return str(path)


def repository(path: Path) -> Path:
    (path / ".git").mkdir(parents=True)
    return path


def found(directory: Path) -> list[str]:
    return [project.config for project in discover(str(directory))]


def test_the_directory_itself_may_be_the_repository(tmp_path: Path) -> None:
    repository(tmp_path)
    expected = [
        write(tmp_path / ".devcontainer" / "devcontainer.json"),
        write(tmp_path / ".devcontainer.json"),
        write(tmp_path / ".devcontainer" / "gpu" / "devcontainer.json"),
    ]
    assert found(tmp_path) == expected
    assert {project.folder for project in discover(str(tmp_path))} == {str(tmp_path)}


def test_repositories_one_level_below_are_found_and_none_deeper(tmp_path: Path) -> None:
    below = write(repository(tmp_path / "shop") / ".devcontainer.json")
    write(repository(tmp_path / "group" / "deep") / ".devcontainer.json")
    assert found(tmp_path) == [below]


def test_a_configuration_outside_of_git_is_not_shown(tmp_path: Path) -> None:
    write(tmp_path / "plain" / ".devcontainer.json")
    write(tmp_path / ".devcontainer.json")
    assert found(tmp_path) == []


def test_a_work_tree_is_a_repository_too(tmp_path: Path) -> None:
    write(tmp_path / "tree" / ".git")
    below = write(tmp_path / "tree" / ".devcontainer.json")
    assert found(tmp_path) == [below]


def test_links_to_directories_are_not_followed(tmp_path: Path) -> None:
    write(repository(tmp_path / "elsewhere" / "real") / ".devcontainer.json")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "link").symlink_to(tmp_path / "elsewhere" / "real")
    assert found(tmp_path / "here") == []


def test_a_directory_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert found(tmp_path / "nowhere") == []
