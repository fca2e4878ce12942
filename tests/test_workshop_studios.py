"""The studio without a browser: what is pressed is done, what goes wrong is said, and nothing is lost."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from browsing import ROOT
from fruit import fruit

import coursekit as kit
from coursekit.workshop import projects, studios
from coursekit.workshop.changes import Changes
from coursekit.workshop.studios import STEPS, Studio
from coursekit.workshop.surveys import Survey
from coursekit.workshop.trainings import Watch

SMALL = {"do": "train", "size": "32", "epochs": "3"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder to work in, with photos of two kinds, one of them filed wrongly, and one that is broken."""
    folder = tmp_path_factory.mktemp("studio")
    fruit(folder / "fruit", each=15)
    (folder / "fruit" / "raw" / "raw_03.jpg").rename(folder / "fruit" / "ripe" / "wrong.jpg")
    (folder / "fruit" / "raw" / "broken.jpg").write_bytes(b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def trained(place: Path) -> Studio:
    studio = Studio("fruit")
    studio.wait()
    done(studio, SMALL)
    return studio


def done(studio: Studio, *actions: dict[str, Any]) -> dict[str, Any]:
    """Do one thing after the other; what is to be seen then, as a page gets it."""
    for action in actions:
        studio.act(action)
        studio.wait()
    return json.loads(json.dumps(studio.view(), allow_nan=False))


# Choosing and looking ---------------------------------------------------------------------------------------


def test_it_begins_where_the_notebook_lies_and_opens_a_step_after_the_other(place: Path):
    studio = Studio()
    seen = done(studio)
    assert (seen["step"], seen["steps"], seen["choose"]["place"]) == ("choose", ["choose"], str(place))
    assert "fruit" in seen["choose"]["folders"]
    assert ["solar_cells", "Solar cells, sound or broken (lesson 1)"] in seen["choose"]["sets"]

    assert done(studio, {"do": "go", "to": "fruit"})["choose"]["folders"] == ["raw", "ripe"]
    assert done(studio, {"do": "go", "to": "raw"})["choose"]["photos"] == 15
    assert done(studio, {"do": "go", "to": str(place)})["choose"]["place"] == str(place)
    assert done(studio, {"do": "step", "to": "export"})["step"] == "choose"


def test_what_was_chosen_is_looked_at_and_shown(place: Path):
    seen = done(Studio("fruit"), {"do": "step", "to": "look"})

    assert (seen["step"], seen["name"], seen["steps"]) == ("look", "fruit", list(STEPS[:3]))
    assert [(one["name"], one["count"]) for one in seen["look"]["kinds"]] == [("ripe", 16), ("raw", 14)]
    assert seen["look"]["left out"] == [
        ["broken.jpg", "it cannot be read: it is empty. Copy or download it again"]
    ]


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ({"do": "choose", "folder": "nowhere"}, "There is no folder '.*nowhere'"),
        ({"do": "choose", "folder": "fruit/raw"}, "All 15 photos lie directly in raw"),
        ({"do": "choose", "set": "nothing"}, "There is no set 'nothing'"),
        (
            {"do": "go", "to": "fruit/raw/raw_01.jpg"},
            "raw_01.jpg is a file, and a folder of photos is needed",
        ),
        ({"do": "train"}, "Choose a folder of photos first."),
        ({"do": "export", "way": "model"}, "Choose a folder of photos first."),
        ({"do": "clean", "what": {"do": "undo"}}, "Choose a folder of photos first."),
    ],
)
def test_a_wrong_click_is_answered_with_a_sentence(place: Path, action: dict[str, Any], words: str):
    studio = Studio()
    said = done(studio, action)["said"]

    assert re.match(words, said["text"])
    assert said["weight"] == "stop"
    assert (studio.step, studio.project) == ("choose", None)


def test_a_fault_of_ours_is_told_and_the_studio_goes_on(place: Path, monkeypatch: pytest.MonkeyPatch):
    def fails(*_: Any) -> None:
        raise AttributeError("no such part")

    studio = Studio()
    with monkeypatch.context() as patch:
        patch.setattr(projects, "survey", fails)
        said = done(studio, {"do": "choose", "folder": "fruit"})["said"]["text"]
    assert "Something went wrong here, and not with your photos: No such part." in said
    assert isinstance(studio.error, AttributeError)
    assert done(studio, {"do": "choose", "folder": "fruit"})["step"] == "look"


# Training ---------------------------------------------------------------------------------------------------


def test_training_ends_with_a_sentence_and_all_steps_open(trained: Studio):
    seen = done(trained)

    assert seen["steps"] == list(STEPS)
    assert re.fullmatch(
        r"Training 1: names \d of 6 held-out photos right \(\d+%\)\. "
        r"Always saying the most frequent kind would be right in 50%\.",
        seen["train"]["trainings"][0]["text"],
    )  # fmt: skip
    assert len(seen["train"]["last"]["rows"]) == 3
    assert seen["busy"] is None


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"epochs": "many"}, "“Times through the photos” is a whole number from 1 to 100; 'many' came."),
        ({"epochs": "0"}, "from 1 to 100; '0' came."),
        ({"rate": "fast"}, "“Learning rate” is a number from 1e-06 to 1; 'fast' came."),
        ({"size": "5000"}, "“Size of photos” is a whole number from 32 to 512; '5000' came."),
    ],
)
def test_numbers_that_are_none_are_refused_and_the_model_stays(trained: Studio, wanted: dict, words: str):
    model = trained.learner.model

    assert done(trained, {"do": "train"} | wanted)["said"]["text"].endswith(words)
    assert trained.learner.model is model


def test_the_code_that_is_shown_does_the_same_elsewhere(trained: Studio, place: Path):
    """In another process, the lines of the page give the very accuracy and loss the studio gave."""
    program = trained.code.replace("seen.show_worst(9)\nseen.show_confusion()\n", "")
    program += "\nprint(*learner.validate().values(), sep='\\n')"
    answer = subprocess.run(
        [sys.executable, "-c", program],
        cwd=place,
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )

    there = [float(line) for line in answer.stdout.splitlines()[-2:]]
    assert there == pytest.approx(list(trained.learner.validate().values()), rel=1e-4)


def environment() -> dict[str, str]:
    import os

    return os.environ | {"PYTHONPATH": str(ROOT)}


def test_while_it_trains_the_page_answers_and_stop_keeps_the_model(place: Path):
    studio, told, may_go = Studio("fruit"), [], threading.Event()
    studio.wait()

    def look() -> None:
        told.append(studio.view())
        running = studio.project.running if studio.project else None
        if running and running.watch and running.watch.done >= 2 and not may_go.is_set():
            may_go.set()
            studio.act({"do": "choose", "folder": str(place / "fruit" / "raw")})
            told.append(studio.view())
            studio.act({"do": "stop"})

    studio.listeners.append(look)
    seen = done(studio, SMALL | {"epochs": "100"})

    assert may_go.is_set()
    assert "One thing at a time: training still goes on." in [one["said"].get("text") for one in told]
    assert re.search(
        r"Training 1, stopped after \d+ of \d+ steps: names", seen["train"]["trainings"][0]["text"]
    )
    assert "# This training was stopped by hand" in studio.code
    assert kit.examine(studio.learner).vocab == ("raw", "ripe")


def test_another_folder_and_back_nothing_is_lost(trained: Studio, place: Path):
    fruit(place / "other", each=5, kinds=("big", "small"))
    model, count = trained.learner.model, len(trained.changes)
    seen = done(trained, {"do": "choose", "folder": str(place / "other")})
    assert (seen["name"], seen["steps"]) == ("other", list(STEPS[:3]))
    assert [name for _, name in seen["choose"]["known"]] == ["fruit", "other"]

    seen = done(trained, {"do": "choose", "folder": str(place / "fruit")})
    assert (seen["name"], seen["steps"]) == ("fruit", list(STEPS))
    assert trained.learner.model is model
    assert len(trained.changes) == count


def test_two_studios_do_not_mix(trained: Studio, place: Path):
    other = Studio()
    assert done(other)["steps"] == ["choose"]
    assert done(trained)["steps"] == list(STEPS)


def test_photos_that_were_added_and_mended_are_seen_when_it_looks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    broken = fruit(tmp_path / "fruit", each=4) / "raw" / "broken.jpg"
    broken.write_bytes(b"")
    studio = Studio("fruit")
    studio.wait()
    assert studio.changes["item"].tolist() == [str(broken)]

    broken.write_bytes((fruit(tmp_path / "more", each=1, size=50) / "raw" / "raw_00.jpg").read_bytes())
    seen = done(studio, {"do": "look"})
    assert {one["name"]: one["count"] for one in seen["look"]["kinds"]} == {"raw": 5, "ripe": 4}
    assert studio.changes.empty


def test_what_is_no_longer_the_only_one_or_a_copy_comes_in_when_it_looks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    folder = fruit(tmp_path / "fruit", each=4)
    lonely = fruit(folder, each=1, kinds=("rotten",)) / "rotten" / "rotten_00.jpg"
    copy = folder / "ripe" / "zz.jpg"
    copy.write_bytes((folder / "raw" / "raw_00.jpg").read_bytes())
    studio = Studio("fruit")
    studio.wait()
    assert set(studio.changes["item"]) == {str(lonely), str(copy)}

    more = fruit(tmp_path / "more", each=3, kinds=("rotten", "ripe"), size=50)
    for kind, file in (("rotten", lonely.with_name("more.jpg")), ("ripe", copy)):
        file.write_bytes((more / kind / f"{kind}_02.jpg").read_bytes())
    seen = done(studio, {"do": "look"})
    assert {one["name"]: one["count"] for one in seen["look"]["kinds"]} == {"raw": 4, "ripe": 5, "rotten": 2}
    assert studio.changes.empty


def test_a_photo_that_was_replaced_is_asked_for_anew_when_it_looks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    file = fruit(tmp_path / "fruit", each=4) / "raw" / "raw_00.jpg"
    studio = Studio("fruit")
    studio.wait()
    before, small = done(studio), studio.pictures([str(file)])
    assert done(studio, {"do": "step", "to": "train"})["pictures"] == before["pictures"]

    file.write_bytes((fruit(tmp_path / "more", each=1, size=50) / "ripe" / "ripe_00.jpg").read_bytes())
    seen = done(studio, {"do": "look"})
    assert seen["look"] == before["look"]
    assert seen["pictures"] != before["pictures"]
    assert studio.pictures([str(file)]) != small


def test_what_is_asked_for_while_something_goes_on_changes_nothing(place: Path):
    studio, may_end = Studio("fruit"), threading.Event()
    studio.wait()
    assert studio.project
    studio._turns.take("Training", may_end.wait)
    studio.act({"do": "arrange", "to": "last"})

    assert studio.said["text"] == "One thing at a time: training still goes on."
    assert studio.project.arrangement == ""
    may_end.set()
    studio.wait()
    assert done(studio, {"do": "arrange", "to": "last"})["said"] == {}
    assert studio.project.arrangement == "last"


@pytest.fixture
def herd(tmp_path: Path) -> Path:
    """Four photos each of five sound cows and five lame ones, named after the cow."""
    fruit(tmp_path / "herd", each=20, kinds=("lame", "sound"))
    for kind in ("lame", "sound"):
        for number, file in enumerate(sorted((tmp_path / "herd" / kind).iterdir())):
            file.rename(file.with_name(f"{kind}{number // 4}_{number % 4 + 1}.jpg"))
    return tmp_path / "herd"


def test_photos_that_belong_together_are_held_out_together(herd: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(herd.parent)
    studio = Studio("herd")
    studio.wait()
    seen = done(studio, {"do": "group", "together": True})["look"]

    assert (seen["may group"], seen["groups"], seen["learned"]) == (True, [10, "lame0", 4], 32)
    names: dict[str, Any] = {}
    exec(studio.code, names)
    photos = names["photos"]
    cows = photos["file"].map(lambda file: Path(file).stem.partition("_")[0])
    assert not set(cows[photos["side"] == "held out"]) & set(cows[photos["side"] == "learned from"])
    assert set(photos.loc[photos["side"] == "held out", "label"]) == {"lame", "sound"}

    assert done(studio, {"do": "look"})["look"]["groups"] == [10, "lame0", 4]
    seen = done(studio, {"do": "group", "together": False}, {**SMALL, "epochs": "1"})["look"]
    assert (seen["may group"], seen["groups"]) == (False, None)
    assert (
        "choose the folder in a new studio" in done(studio, {"do": "group", "together": True})["said"]["text"]
    )


def test_groups_that_cannot_be_held_out_are_refused_in_a_sentence(place: Path, herd: Path):
    studio = Studio("fruit")
    studio.wait()
    said = done(studio, {"do": "group", "together": True})

    assert said["said"]["text"] == (
        "By their names, photos of 'raw' belong to fewer than two groups of that kind, and one is learned "
        "from while another is held out."
    )
    assert said["look"]["groups"] is None
    for number, file in enumerate(sorted(herd.rglob("*.jpg"))):
        file.rename(file.with_name(f"{number}.jpg"))
    studio = Studio(herd)
    studio.wait()
    assert "No two of the names" in done(studio, {"do": "group", "together": True})["said"]["text"]


def test_groups_that_are_gone_when_looked_at_again_are_let_go_with_a_word(herd: Path):
    studio = Studio(herd)
    studio.wait()
    done(studio, {"do": "group", "together": True})
    for number, file in enumerate(sorted(herd.rglob("*.jpg"))):
        file.rename(file.with_name(f"{number}.jpg"))

    seen = done(studio, {"do": "look"})

    assert seen["said"] == {}
    assert seen["look"]["groups"] is None
    (note,) = [note for note in seen["look"]["notes"] if note["weight"] == "warn"]
    assert note["text"].startswith("Photos are held out by chance again, each by itself. No two of the names")


def test_a_folder_with_sides_says_itself_what_is_held_out(tmp_path: Path):
    for side, size in (("train", 40), ("valid", 48)):
        fruit(tmp_path / "sides" / side, each=5, size=size)
    studio = Studio(tmp_path / "sides")
    studio.wait()
    said = done(studio, {"do": "group", "together": True})

    assert said["look"]["may group"] is False
    assert said["said"]["text"] == "Sides says itself which photos are held out, and that stays so."


def test_where_all_that_is_held_out_is_also_learned_from_one_sentence_says_so(tmp_path: Path):
    for side in ("train", "valid"):
        fruit(tmp_path / "sides" / side, each=5)
    studio = Studio(tmp_path / "sides")
    studio.wait()

    assert studio.said["text"] == (
        "Without what cannot serve, such as photos that are on both sides, too few photos are left."
    )


def test_the_plot_stands_under_the_project_that_is_trained(place: Path):
    fruit(place / "other", each=5, kinds=("big", "small"))
    studio = Studio("fruit")
    studio.wait()
    trains = studio.project
    assert trains
    done(studio, {"do": "choose", "folder": str(place / "other")})
    trains.running = trains.prepare({})
    trains.running.watch = Watch(10, lambda: None)

    seen = done(studio)
    assert (seen["name"], seen["train"]["live"], seen["train"]["elsewhere"]) == ("other", None, "fruit")
    seen = done(studio, {"do": "choose", "folder": str(place / "fruit")})
    assert (seen["train"]["live"]["batches"], seen["train"]["elsewhere"]) == (10, "")


def test_changes_to_kinds_that_other_folders_named_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    item = str(tmp_path / "fruit" / "ripe" / "a.jpg")
    Changes("fruit-changes.csv").decide(item, "ripe", "raw")

    found = {kind: Survey(tmp_path, {item: kind}) for kind in ("ripe", "raw", "fruit")}
    assert {kind: projects.file_of_changes("fruit", one).name for kind, one in found.items()} == {
        "ripe": "fruit-changes.csv",
        "raw": "fruit-changes.csv",
        "fruit": "fruit-changes-2.csv",
    }


def test_changes_that_leave_nothing_to_tell_apart_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    studio = Studio(fruit(tmp_path / "fruit", each=4))
    studio.wait()
    assert studio.project
    for file in (tmp_path / "fruit" / "raw").iterdir():
        studio.project.changes.decide(str(file), "raw", "")
    assert done(studio, SMALL)["said"]["text"] == NOTHING_LEFT


NOTHING_LEFT = (
    "After your changes, all photos to learn from are ripe: take some of them back, or set the list aside, "
    "under Look."
)


@pytest.fixture
def shut_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Studio:
    """A new studio beside a saved list that leaves out all photos of a kind."""
    monkeypatch.chdir(tmp_path)
    saved = Changes("fruit-changes.csv")
    for file in sorted((fruit(tmp_path / "fruit", each=4) / "raw").iterdir()):
        saved.decide(str(file), "raw", "")
    studio = Studio("fruit")
    studio.wait()
    return studio


def test_a_saved_list_that_leaves_too_little_is_set_aside_by_a_button(shut_out: Studio, tmp_path: Path):
    seen = done(shut_out)
    assert (seen["step"], seen["look"]["short"]) == ("look", NOTHING_LEFT)
    assert len(seen["look"]["changes"]["changes"]) == 4

    seen = done(shut_out, {"do": "aside"})
    assert (seen["look"]["short"], seen["look"]["learned"], seen["look"]["changes"]["changes"]) == ("", 6, [])
    assert seen["said"]["text"].endswith("Your list of changes is kept as fruit-changes-aside.csv.")
    assert len(Changes(tmp_path / "fruit-changes-aside.csv")) == 4
    again = Studio("fruit")
    again.wait()
    assert done(again)["look"]["short"] == ""


def test_a_saved_list_that_leaves_too_little_is_taken_back_photo_by_photo(shut_out: Studio):
    items = [one["item"] for one in done(shut_out)["look"]["changes"]["changes"]]

    seen = done(shut_out, *({"do": "restore", "item": item} for item in items))
    assert (seen["look"]["short"], seen["look"]["learned"]) == ("", 6)


def test_a_held_out_loss_that_is_no_number_is_not_drawn():
    watch = Watch(2, lambda: None)
    for loss in (0.5, float("nan"), float("inf")):
        row = {"valid loss": loss, "accuracy": 0.5}
        watch.after_epoch(SimpleNamespace(recorder=SimpleNamespace(rows=[row])))  # type: ignore[arg-type]

    assert watch.view()["rows"] == [[0, 0.5, 0.5]]
    json.dumps(watch.view(), allow_nan=False)


# Correcting, trying, exporting ------------------------------------------------------------------------------


def test_a_corrected_label_is_kept_offered_and_learned_from(place: Path):
    studio = Studio("fruit")
    studio.wait()
    wrong = str(place / "fruit" / "ripe" / "wrong.jpg")
    seen = done(studio, SMALL, {"do": "clean", "what": {"do": "label", "item": wrong, "now": "raw"}})
    assert seen["mistakes"]["said"] == "wrong.jpg is raw from now on."
    assert seen["train"]["trainings"][0]["since"] == 1
    assert "kit.apply_changes(photos, 'fruit-changes.csv')" in studio.code

    seen = done(studio, SMALL)
    assert [one["since"] for one in seen["train"]["trainings"]] == [1, 0]
    assert seen["train"]["used"] == 2
    assert done(studio, {"do": "use", "number": 1})["train"]["used"] == 1
    again = Studio("fruit")
    again.wait()
    assert again.changes.query("now == 'raw'")["item"].tolist() == [wrong]
    done(studio, {"do": "clean", "what": {"do": "restore", "item": wrong}})
    assert Path(wrong).exists()


def test_a_photo_is_tried_and_what_is_none_is_said_to_be_none(trained: Studio, place: Path):
    data = (place / "fruit" / "raw" / "raw_05.jpg").read_bytes()
    seen = done(
        trained,
        {"do": "try", "name": "mine.jpg", "data": data},
        {"do": "try", "name": "notes.txt", "data": b"apples"},
    )["try"]

    assert seen[1]["name"] == "mine.jpg"
    assert sum(share for _, share in seen[1]["answer"]) == pytest.approx(1, abs=0.01)
    assert seen[0]["problem"].startswith("notes.txt cannot be read as a photo: its bytes")
    assert trained.pictures(["tried 0"])["tried 0"][:2] == b"\xff\xd8"


def test_a_photo_to_be_tried_waits_until_what_goes_on_has_ended(trained: Studio, place: Path):
    data, may_end = (place / "fruit" / "raw" / "raw_06.jpg").read_bytes(), threading.Event()
    trained._turns.take("Writing the model", may_end.wait)
    trained.act({"do": "try", "name": "late.jpg", "data": data})
    assert trained.said["text"] == "late.jpg waits: writing the model still goes on."

    may_end.set()
    trained.wait()
    seen = done(trained)
    assert (seen["busy"], seen["try"][0]["name"]) == (None, "late.jpg")


def test_it_is_exported_beside_what_is_there_already(trained: Studio, place: Path):
    (place / "fruit-model").mkdir()
    seen = done(trained, {"do": "export", "way": "model"})["export"]["done"][-1]

    assert seen["folder"] == str(place / "fruit-model-2")
    assert [name for name, _ in seen["files"]] == ["model.json", "model.safetensors"]
    photo = place / "fruit" / "raw" / "raw_01.jpg"
    assert kit.load_model(seen["folder"]).predict(photo).value == trained.learner.predict(photo).value
    assert "kit.save_model(learner, 'fruit-model-2')" in trained.code


def test_what_is_missing_for_an_export_is_named(trained: Studio, monkeypatch: pytest.MonkeyPatch):
    def fails(code: str, names: dict[str, Any]) -> None:
        raise ImportError("save_onnx needs onnx, of the extra `export`: pip install onnx.")

    monkeypatch.setattr(projects, "execute", fails)
    seen = done(trained, {"do": "export", "way": "onnx"})
    assert seen["said"]["text"] == "save_onnx needs onnx, of the extra `export`: pip install onnx."


def test_no_photo_was_changed(trained: Studio, place: Path):
    files = sorted(file.name for file in (place / "fruit").rglob("*.jpg"))

    assert len(files) == 31
    assert not [file for file in (place / "fruit").rglob("*") if file.is_file() and file.suffix != ".jpg"]


def test_a_folder_that_may_not_be_listed_is_empty_to_look_at(tmp_path: Path):
    assert studios.listed(tmp_path / "nowhere") == ([], 0)
