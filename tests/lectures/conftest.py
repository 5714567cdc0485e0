"""Every test of this folder that takes a ``lecture`` runs once for each of them."""

import lecture_form


def pytest_generate_tests(metafunc):
    if "lecture" not in metafunc.fixturenames:
        return
    metafunc.parametrize("lecture", lecture_form.notebooks(), ids=lambda notebook: notebook.number)
