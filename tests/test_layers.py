"""The map of the library, which is also the check: who imports whom, exactly, and how large anything may be.

Read the table from the top: a module imports the modules named after it, and each of those stands further
down. So arrows point down only, and there can be no cycle. What is imported only for annotations (under
`if TYPE_CHECKING:`) does not count, as it never happens when the code runs.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "coursekit"

TABLE = """
face
    api                 acceleration agreement amounts array_sets augment averaging backbones baselines
                        blocks callbacks checkpoints choices colours confusion convolutions creating
                        cropping datablock descriptions devices dispatch display evidence export
                        figures files finding finding_the_rate geometry heads inference inspecting
                        interpret learner loaders logs losses metrics mixing movements onnx_export
                        onnx_model optimizers orders parallel photo_sets photos ranking recipes resnets
                        scan_sets scans schedules sources splits splitters stepping steps stopping
                        subgroups table_sets tensors tracing transforms unets vision vocabularies
                        watching web_page widgets.convolutions widgets.descents widgets.digits
                        widgets.finders widgets.flipbooks widgets.kinds widgets.loops widgets.rates
                        widgets.softmaxes widgets.warps workshop.changes workshop.showing
apart
    workshop
    workshop.showing    widgets.widget workshop.changes workshop.cleaners workshop.studios
    workshop.studios    files sources workshop.projects workshop.scripts workshop.surveys workshop.trainings
                        workshop.turns
    workshop.turns
    workshop.projects   predictions sources workshop.changes workshop.scripts workshop.surveys
                        workshop.thumbnails workshop.trainings
    workshop.trainings  callbacks workshop.changes workshop.cleaners workshop.scripts
    workshop.scripts    workshop.surveys
    workshop.surveys    files samples splitters workshop.changes workshop.thumbnails
    workshop.cleaners   callbacks confusion files finding interpret loaders photos samples tensors
                        workshop.changes workshop.thumbnails
    workshop.thumbnails photos
    workshop.changes    samples
    widgets
    widgets.convolutions canvas descriptions geometry samples tensors widgets.stills widgets.warps
                        widgets.widget
    widgets.kinds       canvas descriptions dispatch display drawing figures geometry samples tensors
                        widgets.stills widgets.warps widgets.widget
    widgets.loops       events learner optimizers widgets.widget
    widgets.softmaxes   descriptions tensors widgets.digit_reader widgets.stills widgets.warps
                        widgets.widget
    widgets.warps       canvas descriptions display drawing figures geometry samples tensors
                        widgets.stills widgets.widget
    widgets.descents    widgets.stills widgets.widget
    widgets.digits      widgets.digit_reader widgets.page_network widgets.widget
    widgets.digit_reader array_sets callbacks convolutions downloads learner losses metrics sources splits
                        tensor_files tensors widgets.handwriting
    widgets.handwriting events
    widgets.page_network
    widgets.rates       finding_the_rate widgets.stills widgets.widget
    widgets.finders     callbacks finding_the_rate widgets.stills widgets.widget
    widgets.flipbooks   display drawing figures scenes screens tensors widgets.stills
                        widgets.widget
    widgets.stills      display figures widgets.widget
    widgets.widget      widgets.modules
    widgets.modules
    cli                 classroom.commands classroom.export_command classroom.override_command data diagnosis
                        grader.exercises inference kit progress root serving workspace
    classroom
    classroom.override_command classroom.commands classroom.results grader.exercises progress
    classroom.commands  classroom.changes classroom.gradebook classroom.handing_out classroom.intake
                        classroom.neutral classroom.ordering classroom.results classroom.roster
                        classroom.rules progress
    classroom.ordering  classroom.cluster classroom.crew classroom.gradebook classroom.grading classroom.rows
                        classroom.submission grader.batch grader.exercises progress sandbox.availability
    classroom.grading   classroom.crew classroom.gradebook classroom.handing_out classroom.records
                        classroom.rows classroom.submission classroom.which_exercise grader.exercises
                        grader.process grader.report root
    classroom.handing_out classroom.crew grader.report grader.starter
    classroom.export_command classroom.autograder_zip classroom.exports grader.exercises progress
    classroom.exports   classroom.notebook_points definitions grader.exercises grader.form grader.starter
    classroom.notebook_points grader.checking grader.report workspace
    classroom.autograder_zip grader.exercises
    classroom.autograder classroom.intake classroom.ordinary_user classroom.results grader.batch
                        grader.process grader.report grader.starter progress sandbox sandbox.availability
                        sandbox.masking
    classroom.ordinary_user grader.process sandbox.limits scratch
    classroom.results   classroom.feedback classroom.findings classroom.likenesses classroom.neutral
                        classroom.overview classroom.rows classroom.systems classroom.tally
                        grader.exercises grader.report grader.wording
    classroom.likenesses classroom.rows grader.exercises grader.likeness
    classroom.overview  classroom.findings classroom.neutral classroom.page classroom.rows classroom.tally
                        grader.wording
    classroom.findings  classroom.neutral classroom.rows classroom.tally grader.wording
    classroom.feedback  classroom.neutral classroom.page classroom.rows grader.report grader.wording
    classroom.systems   classroom.neutral classroom.rows classroom.senders
    classroom.tally     classroom.rows classroom.submission grader.report
    classroom.page      classroom.neutral
    classroom.changes   classroom.gradebook classroom.records classroom.rows grader.report
    classroom.gradebook classroom.book_file classroom.records classroom.roster classroom.rows classroom.rules
    classroom.roster    classroom.neutral classroom.senders progress
    classroom.records   classroom.book_file classroom.rows
    classroom.which_exercise definitions grader.exercises
    classroom.cluster   classroom.crew grader.exercises root sandbox
    classroom.crew      grader.batch grader.process sandbox sandbox.masking scratch
    classroom.rules     classroom.rows
    classroom.rows      grader.likeness
    classroom.book_file progress
    classroom.intake    classroom.assembling classroom.contents classroom.manifest classroom.python_text
                        classroom.senders classroom.submission grader.exercises kit progress
    classroom.assembling classroom.contents classroom.manifest classroom.neutral classroom.notebooks
                        classroom.python_text classroom.senders classroom.submission kit
    classroom.neutral   grader.wording
    classroom.notebooks classroom.contents classroom.python_text definitions
    classroom.senders
    classroom.submission
    data                sources
    diagnosis           root sandbox.availability workspace
    sandbox             sandbox.availability sandbox.limits sandbox.place
    sandbox.masking     definitions grader.exercises grader.form grader.runner grader.starter
                        originals
    sandbox.availability grader.process sandbox.call_filter sandbox.limits sandbox.place sandbox.shell
    sandbox.probe
    sandbox.place       grader.process sandbox.gpu_share sandbox.limits sandbox.shell
    sandbox.gpu_share   grader.process
    sandbox.shell       sandbox.limits
    sandbox.warm        grader.runner sandbox.call_filter sandbox.confinement sandbox.consumption
                        sandbox.holding sandbox.limits sandbox.system_calls
    sandbox.holding     sandbox.consumption
    sandbox.confinement sandbox.call_filter sandbox.limits sandbox.system_calls
    sandbox.call_filter
    sandbox.consumption
    sandbox.system_calls
    sandbox.limits
    grader              grader.form
    grader.runner       grader.case grader.encoding grader.frames grader.warm kit originals
    grader.warm
    notebook            kit progress workspace
    server              kit progress workspace
    workspace           classroom.packing definitions grader.checking grader.exercises grader.process
                        grader.starter kit lessons progress
    classroom.packing   classroom.contents classroom.manifest classroom.python_text kit
    classroom.manifest  classroom.contents root
    classroom.python_text classroom.contents definitions grader.exercises kit
    classroom.contents
    progress
    lessons             markdown sources
    markdown            grader.exercises quizzes
    quizzes
    kit                 definitions originals
    originals           definitions
    grader.likeness     definitions grader.exercises grader.starter
    grader.starter      definitions grader.exercises grader.form
    grader.checking     grader.batch grader.exercises grader.form grader.process grader.report
    grader.batch        grader.exercises grader.form grader.judging grader.mistakes grader.observing
                        grader.process grader.reference grader.report grader.telling grader.timing
    grader.timing       grader.form grader.judging grader.observing grader.process grader.reference
    grader.reference    grader.case grader.form grader.mistakes grader.observing grader.process
                        grader.scenario
    grader.telling      grader.form grader.job grader.judging grader.mistakes grader.observing
                        grader.report grader.wording
    grader.report       grader.showing grader.wording
    grader.showing      grader.wording
    grader.mistakes     grader.comparison grader.encoding grader.form grader.judging grader.observing
                        grader.wording
    grader.judging      grader.comparison grader.form grader.observing grader.wording
    grader.observing    grader.case grader.encoding grader.process grader.scenario grader.wording
    grader.scenario     definitions grader.wording
    grader.process      grader.job scratch
    grader.job          grader.encoding grader.frames scratch
    grader.frames       grader.encoding
    grader.case         grader.encoding
    grader.comparison   grader.encoding grader.wording
    grader.wording      grader.encoding
    grader.encoding
    grader.exercises    definitions grader.form
    grader.form
    definitions
    scratch
apps
    web_page            onnx_model photo_page
    serving             inference onnx_model photo_page serving_limits
    photo_page
    serving_limits
    onnx_export         batches creating cropping finding metrics onnx_layers onnx_model onnx_shrinking
                        predictions recipes tensors transforms
    onnx_layers         steps tensors
    onnx_shrinking
    onnx_model
    export              blueprints inference recipes steps tensor_files transforms
    inference           augment batches blueprints callbacks colours cropping devices movements predictions
                        recipes standing tensor_files
    blueprints          backbones convolutions heads losses resnets saving unets
    subgroups           figures finding interpret metrics
    interpret           confusion display evidence figures finding learner tensors
    evidence            backbones batches display failures learner tensors unets
    vision              backbones batches finding heads learner loaders tensors
    heads               agreement amounts backbones convolutions dispatch losses metrics tensors unets
training
    learner             batches callbacks demands devices events failures finding_the_rate loop metrics
                        optimizers predictions schedules
    finding_the_rate    callbacks events
    parallel            callbacks devices events metrics stepping
    stopping            checkpoints events
    checkpoints         callbacks devices events standing tensor_files
    callbacks           batches events metrics screens
    tracing             batches events failures
    mixing              batches events
    logs                devices events
    watching            devices events screens
    acceleration        events loop
    averaging           events
    standing            batches
    tensor_files
    stepping            events
    loop                batches events
    events
    predictions         batches metrics
    failures            batches
    demands             batches
    screens
    devices
    schedules
    optimizers
measures
    losses              metrics
    agreement           metrics
    ranking             metrics
    amounts             metrics
    metrics
    confusion
    baselines
networks
    unets               backbones convolutions
    backbones           borrowed convolutions resnets sources
    borrowed            sources
    resnets             convolutions
    convolutions
data
    augment             canvas colours dispatch draws geometry movements places sampling tensors warping
    colours             dispatch draws sampling steps tensors
    movements           cropping draws
    sampling
    draws               canvas samples tensors transforms
    datablock           blocks creating finding leaks loaders recipes sentences splits splitters summaries
                        tensors transforms
    summaries           advice blocks files finding leaks samples sentences tensors
                        transforms walks
    walks               batches blocks files finding samples tensors transforms
    advice
    sentences           blocks finding samples splitters transforms
    leaks               blocks finding samples splits steps transforms vocabularies
    recipes             batches blocks creating finding loaders samples saving steps tensors transforms
                        vocabularies
    saving              finding samples tensors transforms
    loaders             display finding held orders passes reading samples transforms
    passes              held orders reading transfer
    held                batches reading samples tensors
    transfer            batches samples
    reading             batches blocks files finding photos samples scans transforms
    orders              finding
    blocks              batches creating finding samples steps tensors transforms vocabularies
    creating            canvas finding samples tensors transforms
    splitters           finding samples splits
    splits
    finding             dispatch files samples
    inspecting          files photos
    files               samples
    vocabularies        dispatch labels samples tensors transforms
sets
    photo_sets          sources tensors
    array_sets          sources tensors
    scan_sets           sources
    table_sets          samples sources
    sources             archives downloads
    archives
    downloads
ground
    steps               dispatch geometry samples tensors transforms
    cropping            canvas dispatch geometry places tensors transforms warping
    transforms          choices dispatch display samples
    geometry            canvas dispatch places samples tensors warping
    places              canvas dispatch tensors warping
    warping
    sampling
    display             descriptions dispatch drawing figures scenes tensors
    scenes              drawing figures tensors
    drawing             descriptions figures tensors
    figures             descriptions tensors
    descriptions        dispatch samples tensors
    batches             padding samples tensors
    tensors             labels pictures points typed volumes
    volumes             canvas pictures scans typed
    pictures            photos typed
    points              canvas padding typed
    canvas              samples typed
    labels              padding samples typed
    padding             typed
    typed
    samples
    photos              decoding
    decoding
    scans
    dispatch            choices signatures
    choices             signatures
    signatures
root
    root
"""

LIBRARY = ("apps", "training", "measures", "networks", "data", "sets", "ground")
# Lines of code: what is left when blank lines, comments and docstrings are taken away.
A_MODULE, A_FUNCTION = 250, 25
# And each layer has a size to keep. The tables of data sets, which nobody rewrites, are a layer of their own.
A_LAYER = {"ground": 3_900, "sets": 800, "data": 3_300, "networks": 700, "measures": 700, "training": 2_900}


def table() -> dict[str, dict[str, set[str]]]:
    """Layer by layer, each module and what it imports; a deeper line goes on with the one above."""
    layers: dict[str, dict[str, set[str]]] = {}
    for line in TABLE.strip().splitlines():
        words, depth = line.split(), len(line) - len(line.lstrip())
        if depth == 0:
            layer = layers.setdefault(words[0], {})
        elif depth == 4:
            module = layer.setdefault(words[0], set())
            module.update(words[1:])
        else:
            module.update(words)
    return layers


LAYERS = table()
MAP = {module: imports for modules in LAYERS.values() for module, imports in modules.items()}
FILES = {
    ".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): file
    for file in sorted(PACKAGE.rglob("*.py"))
    if "_exercises" not in file.parts
}
FILES["root"] = FILES.pop("__init__")


def running_code(tree: ast.AST) -> list[ast.AST]:
    """Every node but those under `if TYPE_CHECKING:`."""
    found: list[ast.AST] = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            found += [part for other in node.orelse for part in (other, *running_code(other))]
        else:
            found += [node, *running_code(node)]
    return found


def imported(file: Path) -> tuple[set[str], list[str]]:
    """The modules of ours that a file imports, and the imports of ours that are not relative."""
    inside, absolute = set(), []
    folder = file.parent.relative_to(PACKAGE).parts
    for node in running_code(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            start = [*folder[: len(folder) - node.level + 1], *(node.module or "").split(".")]
            place = ".".join(filter(None, start))
            for alias in node.names:
                deeper = ".".join(filter(None, [place, alias.name]))
                inside.add(deeper if deeper in FILES else place or "root")
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            absolute += [f"line {node.lineno}" for name in names if name.split(".")[0] == "coursekit"]
    return inside, absolute


def lines_of_code(source: str, tree: ast.AST) -> set[int]:
    """The numbers of the lines that hold code."""
    nothing = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    kept: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in nothing:
            kept.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and ast.get_docstring(node, clean=False) is not None:
                kept -= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return kept


def size(module: str) -> int:
    source = FILES[module].read_text(encoding="utf-8")
    return len(lines_of_code(source, ast.parse(source)))


def test_the_table_names_every_module() -> None:
    assert sorted(MAP) == sorted(FILES)


@pytest.mark.parametrize("module", sorted(FILES))
def test_a_module_imports_exactly_what_the_table_says(module: str) -> None:
    """Relative imports only: the learner's kit takes the same file as its own."""
    inside, absolute = imported(FILES[module])

    assert absolute == []
    assert sorted(MAP.get(module, set())) == sorted(inside)


def test_arrows_point_down() -> None:
    order = {module: place for place, module in enumerate(MAP)}

    assert [
        f"{a} imports {b}, which stands above it" for a in MAP for b in MAP[a] if order[b] <= order[a]
    ] == []


def test_data_and_training_do_not_import_each_other() -> None:
    data, training = LAYERS["data"], LAYERS["training"] | LAYERS["measures"]

    assert [f"{a} imports {b}" for a in data for b in data[a] & set(training)] == []
    assert [f"{a} imports {b}" for a in training for b in training[a] & set(data)] == []


def test_networks_know_nothing_of_data_and_training() -> None:
    """A network is a function of plain numbers; who trains it, and on what, is not its business."""
    above = {module for layer in ("apps", "training", "data") for module in LAYERS[layer]}

    assert {a: b for a in LAYERS["networks"] if (b := LAYERS["networks"][a] & above)} == {}


def test_the_library_does_not_lean_on_what_stands_apart() -> None:
    library = {module for layer in LIBRARY for module in LAYERS[layer]}

    assert [f"{a} imports {b}" for a in sorted(library) for b in sorted(MAP[a] - library)] == []


def test_the_grader_imports_nothing_of_what_it_grades() -> None:
    grader = {module for module in MAP if module.split(".")[0] == "grader"}

    assert {b for a in grader for b in MAP[a]} - grader == {"definitions", "kit", "originals", "scratch"}


@pytest.mark.parametrize("module", ["definitions", "kit", "originals"])
def test_the_loader_of_kits_needs_the_standard_library_only(module: str) -> None:
    """It runs on machines that hold nothing else yet."""
    nodes = running_code(ast.parse(FILES[module].read_text(encoding="utf-8")))
    names = [a.name for node in nodes if isinstance(node, ast.Import) for a in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]

    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


@pytest.mark.parametrize("module", sorted({*FILES} - {"api"}))  # which is a list of names
def test_a_module_can_be_rewritten_in_an_evening(module: str) -> None:
    source = FILES[module].read_text(encoding="utf-8")
    tree = ast.parse(source)
    code = lines_of_code(source, tree)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = {f.name: len(code & set(range(f.lineno, (f.end_lineno or 0) + 1))) for f in functions}

    assert len(code) <= A_MODULE
    assert {name: length for name, length in lengths.items() if length > A_FUNCTION} == {}


@pytest.mark.parametrize("layer", A_LAYER)
def test_a_layer_stays_small(layer: str) -> None:
    assert sum(size(module) for module in LAYERS[layer]) <= A_LAYER[layer]
