"""Where the lectures are looked for, and how they are chosen."""

import json
import os

import pytest

from nnlite.cli import find
from nnlite.cli.find import choose, lectures_folder, lectures_in
from nnlite.cli.problems import Problem, require


@pytest.fixture
def course(tmp_path, write_lecture):
    folder = tmp_path / "course" / "lectures"
    write_lecture(folder, "01_gradients", budget_seconds=20, full_budget_seconds=300)
    write_lecture(folder, "02_pca")
    write_lecture(folder, "12_dcgan", budget_seconds="soon")
    (folder / "notes.ipynb").write_text("{}")
    return folder


def test_the_folder_is_found_from_below(course, monkeypatch):
    below = course / "deep" / "down"
    below.mkdir(parents=True)
    for here in (course.parent, course, below):
        monkeypatch.chdir(here)
        assert lectures_folder() == course


def test_lectures_of_another_course_are_not_ours(tmp_path, monkeypatch, write_lecture):
    stranger = tmp_path / "lectures"
    path = write_lecture(stranger, "01_intro")
    path.write_text(path.read_text().replace("nnlite", "numpy"))
    monkeypatch.chdir(tmp_path)
    beside = tmp_path / "site-packages" / "nnlite" / "_lectures"
    monkeypatch.setattr(find, "__file__", str(beside.parent / "cli" / "find.py"))
    with pytest.raises(Problem, match="--lectures-dir"):
        lectures_folder()
    # In an installed wheel they are inside the package.
    write_lecture(beside, "01_gradients")
    assert lectures_folder() == beside


def test_a_folder_that_is_given_is_taken_or_refused(course, tmp_path):
    assert lectures_folder(course) == course
    with pytest.raises(Problem, match="no such folder"):
        lectures_folder(tmp_path / "nowhere")
    with pytest.raises(Problem, match="01_title"):
        lectures_folder(tmp_path)


def test_title_and_expected_time_come_from_the_notebook(course):
    first, second, third = lectures_in(course)
    assert (first.name, first.title) == ("01_gradients", "Title of 01_gradients")
    assert first.expected_seconds(full=False) == 20
    assert first.expected_seconds(full=True) == 300
    assert second.budget is third.budget is None


def test_names_may_have_any_letters_and_spaces_and_copies_are_left_out(tmp_path, write_lecture):
    for name in ("01_größer", "02_a long-ish name", "03_pca-Copy1", "draft", "4_short"):
        write_lecture(tmp_path, name)
    found = [lecture.name for lecture in lectures_in(tmp_path)]
    assert found == ["01_größer", "02_a long-ish name"]


@pytest.mark.parametrize("content", ["", "[1]", '{"cells": 3}', '{"cells": [{}]}', "not json"])
def test_a_broken_notebook_is_still_listed(tmp_path, content):
    (tmp_path / "01_broken.ipynb").write_text(content)
    (lecture,) = lectures_in(tmp_path)
    assert lecture.title == ""


@pytest.mark.parametrize("metadata", [[], None, "x", {"nnlite": []}, {"nnlite": None}])
def test_odd_metadata_do_not_cost_the_title(tmp_path, metadata):
    cells = [{"cell_type": "markdown", "source": ["# A title\x1b[31m\n", "text"]}, 7, {}]
    notebook = {"cells": cells, "metadata": metadata}
    (tmp_path / "01_odd.ipynb").write_text(json.dumps(notebook))
    (lecture,) = lectures_in(tmp_path)
    assert (lecture.title, lecture.budget) == ("A title[31m", None)


@pytest.mark.parametrize(
    "budget", ["Infinity", "NaN", "-1", "0", "true", "1e400", "9" * 400, '"5"']
)
def test_a_budget_that_makes_no_sense_is_none(tmp_path, budget):
    text = f'{{"cells": [], "metadata": {{"nnlite": {{"budget_seconds": {budget}}}}}}}'
    (tmp_path / "01_odd.ipynb").write_text(text)
    assert lectures_in(tmp_path)[0].budget is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes there")
def test_a_file_that_cannot_be_read_is_listed_and_not_waited_for(tmp_path):
    (tmp_path / "01_dangling.ipynb").symlink_to("nowhere")
    (tmp_path / "02_folder.ipynb").mkdir()
    os.mkfifo(tmp_path / "03_pipe.ipynb")
    (tmp_path / "04_deep.ipynb").write_text("[" * 100_000)
    assert [lecture.title for lecture in lectures_in(tmp_path)] == [""] * 4


@pytest.mark.parametrize(
    ("which", "names"),
    [
        ([], ["01_gradients", "02_pca", "12_dcgan"]),
        (["1"], ["01_gradients"]),
        (["12", "01", "1"], ["01_gradients", "12_dcgan"]),
        (["pca"], ["02_pca"]),
        (["02_pca.ipynb"], ["02_pca"]),
    ],
)
def test_lectures_are_chosen_by_number_or_name(course, which, names):
    assert [lecture.name for lecture in choose(lectures_in(course), which)] == names


@pytest.mark.parametrize("request_", ["3", "2_pcb", "", "0", "²", "9" * 5000])
def test_a_request_that_fits_nothing_is_refused_with_the_list(course, request_):
    with pytest.raises(Problem, match="01_gradients, 02_pca, 12_dcgan"):
        choose(lectures_in(course), [request_])


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr("nnlite.cli.problems.sys.platform", "linux")
    require("json", "numpy", extra="lectures")
    with pytest.raises(Problem) as caught:
        require("numpy", "no_such_package", extra="lectures")
    assert str(caught.value).startswith("no_such_package is not installed.")
    assert 'python -m pip install -e ".[lectures]"' in str(caught.value)
