"""# The loop, and three who listen

Everything that trains in this book goes through one loop. You write it: the whole of it, since it is small.
Then three callbacks that stand on nothing but its events.

1. `loop.Loop`: begin here. `run` leads to `one_epoch`, that to `one_pass`, that to `all_batches`, and that
   to `step`, which is forward, loss, backward, step, with events in between. Their order is in the lesson,
   "Somebody says when". The starter says what each method does. A few are one line; the library's `Learner`
   overrides them to be comfortable.
   - `emit(event)` calls each of `self.handlers[event]` with the loop.
   - `within(name, body, ended_by)` is `before_name`, `body()`, `after_name`, and deals with cancels.
     `raise_widest(cancels)` raises the one of a list that reaches furthest, and nothing if there is none.
   - `one_pass` begins with `batch_number` at -1, since no batch has come, and `batch_count` from
     `count_batches(loader)`. `torch.set_grad_enabled` switches gradients. `all_batches` numbers batches from
     `self.first_batch`, and sets `predicted` and `loss` to None for each: they are not known yet.
   - `find_predictions(outputs)` takes the scores out of whatever a model answers.
2. `callbacks.Metrics`: what validation measures. `self.loss` is an `Average("valid loss")`, with `reset()`,
   `add(value, count)` and `value()`. `self.metrics` is a list; each of them has `reset()`,
   `update(predictions, targets)`, `value()` and a `name`, and `_as_metric` makes one of a plain function.
   `self.values` is a dictionary of names and values: filled when a validation is over, empty again when the
   next epoch begins. `learner.batch_size` says how many items the batch has. A batch that was cancelled
   early has no loss.
3. `callbacks.Schedule`: sets the rate of each of `learner.optimizer.param_groups` before each training batch.
4. `stepping.Accumulate`: one step for several batches, as if they had been one. Each item counts once,
   also where batches are of unequal size. What is left when an epoch ends makes a step of its own.
   `scale_gradients(model, factor)` multiplies all gradients. Whoever records the loss, at order -10, is to
   see it as it is. There are two ways. Multiply each loss by its number of items, and divide the gradients
   once before the step; then come later than -10, for `order` is yours to change. Or leave the loss alone,
   and before each `backward` bring what was added up so far to the scale of the batch to come.

`state_dict` gives what a fit that is taken up again has to know, and `load_state_dict` takes it back. A
method of a callback that you do not need may be deleted: a starter that is left there raises when its event
comes. Nothing has to be imported. If your machine has a GPU, all is asked there as well, and no step may wait
for it.

Before you begin: a callback raises `CancelEpoch` in the middle of a batch. Which events are still to be heard
before the next epoch begins?
"""

from __future__ import annotations

from coursekit.grader import Right, Wrong, check

yours = {
    "loop.Loop": "every epoch, every batch, every event",
    "callbacks.Metrics": "what validation measures",
    "callbacks.Schedule": "another rate for each batch",
    "stepping.Accumulate": "one step for several batches",
}


def _batches(case, name, sizes):
    """Small batches of these sizes: two numbers an item, and one that follows from them."""
    made = []
    for number, size in enumerate(sizes):
        inputs = case.tensor(f"{name} {number}", (size, 2))
        made.append((inputs, inputs.sum(dim=1, keepdim=True) + 1))
    return made


def _loop(kit, case, heard, does=(), train=2, valid=1, kind=None):
    """A loop over so many batches that notes each event; of `does`, (event, function) hear it before."""
    from types import SimpleNamespace

    import torch

    loop = (kind or kit.loop.Loop)()
    loop.model = torch.nn.Linear(2, 1).to(case.device)
    loop.loss_function = _off_by_half
    train, valid = _batches(case, "train", (2,) * train), _batches(case, "valid", (2,) * valid)
    loop.data = SimpleNamespace(train=train, valid=valid or None)
    loop.optimizer = torch.optim.SGD(loop.model.parameters(), lr=0.1)
    loop.epochs = 2
    loop.handlers = {event: [f for e, f in does if e == event] for event in kit.events.EVENTS}
    for event, handlers in loop.handlers.items():
        handlers.append(lambda loop, event=event: heard.append(event))
    return loop


def _off_by_half(predicted, targets):
    """A loss to which it matters which of the two comes first."""
    return (predicted - targets / 2).square().mean()


def _events(kit, case, *does, train=2, valid=1):
    """The events of a run, in the order in which they were heard."""
    heard = []
    try:
        _loop(kit, case, heard, does, train, valid).run()
    except (ValueError, KeyboardInterrupt) as error:
        heard.append(f"{type(error).__name__} arrives")
    return heard


def _places(kit, case, train):
    """Where the loop stands with each loss, its training batches being numbered from 3."""
    where = []

    def note(loop):
        part = "training" if loop.training else "validation"
        where.append(f"{part} batch {loop.batch_number} of {loop.batch_count} in epoch {loop.epoch}")

    def number_from(first):
        return lambda loop: setattr(loop, "first_batch", first)

    numbered = ("before_train", number_from(3)), ("after_train", number_from(0))
    _events(kit, case, ("after_loss", note), *numbered, train=train)
    return where


def _known(kit, case):
    """What the loop says of itself when a pass begins, and when a batch does."""
    known = []

    def look(loop):
        nothing = loop.predicted is None and loop.loss is None
        known.append(f"batch {loop.batch_number}, {'nothing' if nothing else 'another batch'} known")

    begins = "before_train", lambda loop: known.append(f"training begins at batch {loop.batch_number}")
    _events(kit, case, begins, ("before_batch", look))
    return known


def _with_methods_of_its_own(kit, case):
    """What a loop calls whose methods were overridden, and whose model answers with a dictionary."""
    called = []

    class Own(kit.loop.Loop):
        def read_batch(self, batch):
            called.append("read_batch")
            return batch

        def call_model(self, inputs):
            called.append("call_model")
            return {"logits": self.model(inputs)}

        def compute_loss(self):
            called.append("compute_loss")
            return self.predicted.square().mean()

        def take_step(self):
            called.append("take_step")
            self.optimizer.step()

    _loop(kit, case, [], kind=Own).run()
    return called


def _once(error):
    """A handler that raises this the first time it is called."""
    errors = [error]

    def handler(loop):
        if errors:
            raise errors.pop()

    return handler


def _where_they_part(seen, ours):
    """For each label the first place at which two lists of events differ, in words."""
    for label, wanted in ours.items():
        heard = [*seen[label], "nothing"]
        for place, (mine, other) in enumerate(zip(heard, [*wanted, "nothing"], strict=False)):
            if mine != other:
                before = ", ".join(map(str, heard[max(place - 3, 0) : place])) or "the beginning"
                yield label, f"After {before} yours goes on with {mine}; ours with {other}."
                break


@check(points=3, lesson="Somebody says when")
def events_come_in_their_order(kit, case):
    """Follow the names: `run`, `one_epoch`, `one_pass`, `all_batches`, `step`; each calls the next."""
    train = case.integer("training batches", 2, 3)
    yield "two epochs", _events(kit, case, train=train)
    yield "where it stood, training batches numbered from 3", _places(kit, case, train)

    def go_on(loop):
        loop.first_epoch = 1

    yield "taken up in epoch 1", _events(kit, case, ("before_fit", go_on))
    yield "without validation", _events(kit, case, valid=0)
    yield "what is known when a pass or a batch begins", _known(kit, case)
    yield "with methods of its own", _with_methods_of_its_own(kit, case)


@events_come_in_their_order.judge
def _(seen, case, ours):
    yield from _where_they_part(seen, ours)


@check(points=3, lesson="Not this one")
def a_cancel_ends_its_part_and_no_more(kit, case):
    """All hear an event; then each part that has begun has its `after_`; the part that is meant stops it."""
    batch, epoch, fit = kit.CancelBatch, kit.CancelEpoch, kit.CancelFit
    yield "a batch", _events(kit, case, ("after_loss", _once(batch())))
    yield "an epoch", _events(kit, case, ("after_loss", _once(epoch())))
    yield "the fit", _events(kit, case, ("after_loss", _once(fit())))
    yield "the fit, before it begins", _events(kit, case, ("before_fit", _once(fit())))
    yield "the epoch, in training's last event", _events(kit, case, ("after_train", _once(epoch())))
    both = ("after_loss", _once(fit())), ("after_loss", _once(batch()))
    yield "two at once", _events(kit, case, *both)
    apart = ("after_loss", _once(epoch())), ("after_batch", _once(batch()))
    yield "one on the way of another", _events(kit, case, *apart)


@a_cancel_ends_its_part_and_no_more.judge
def _(seen, case, ours):
    yield from _where_they_part(seen, ours)


@check(points=2, lesson="When it breaks")
def errors_arrive_as_they_are(kit, case):
    """Catch cancels and nothing else; `finally` is for what has to happen in any case."""
    yield "a mistake in a callback", _events(kit, case, ("after_loss", _once(ValueError("a mistake"))))
    yield "Ctrl-C", _events(kit, case, ("before_batch", _once(KeyboardInterrupt())))


@errors_arrive_as_they_are.judge
def _(seen, case, ours):
    yield from _where_they_part(seen, ours)


@check(points=2, lesson="On digits it has not seen")
def validation_only_looks(kit, case):
    """Mode and gradients belong to a pass: set both before its first event, and for both kinds of pass."""
    import torch

    seen = []

    def look(loop):
        gradients = "with gradients" if torch.is_grad_enabled() else "without gradients"
        mode = "training mode" if loop.model.training else "evaluation mode"
        seen.append(f"{mode}, {gradients}")

    loop = _loop(kit, case, [], [("before_train", look), ("before_validate", look), ("after_loss", look)])
    loop.run()
    yield "mode and gradients", seen
    yield "weights afterwards", loop.model.weight.detach()
    yield "gradients afterwards", "on" if torch.is_grad_enabled() else "off"


@check(points=2, lesson="Somebody says when")
def a_schedule_sets_every_rate(kit, case):
    """What is kept of each group is its rate before the first batch; the factor is of that, every time."""
    from types import SimpleNamespace

    highest, rates = case.floats("highest", 2, 0.1, 1.0), []
    groups = [{"lr": rate} for rate in highest]
    learner = SimpleNamespace(optimizer=SimpleNamespace(param_groups=groups), epochs=2, batch_count=4)

    def batch(schedule, epoch, number, training=True):
        learner.epoch, learner.batch_number, learner.training = epoch, number, training
        schedule.before_batch(learner)
        rates.append([group["lr"] for group in groups])

    def falling(progress):
        return 1 - progress / 2

    schedule = kit.Schedule(falling)
    schedule.before_fit(learner)
    for epoch in (0, 1):
        for number in range(4):
            batch(schedule, epoch, number)
    yield "eight training batches", rates[:]
    batch(schedule, 0, 0, training=False)
    yield "a validation batch", rates[-1]
    other = kit.Schedule(falling)
    other.before_fit(learner)
    other.load_state_dict(schedule.state_dict())
    batch(other, 0, 2)
    yield "taken up", rates[-1]
    learner.batch_count = None
    batch(schedule, 1, 3)
    yield "when nobody knows how many batches there are", rates[-1]


@check(points=2, lesson="Every item counts once")
def every_item_counts_once(kit, case):
    """Each batch's value counts as often as the batch has items, and a new validation begins from nothing."""
    from types import SimpleNamespace

    metrics = kit.Metrics([kit.accuracy, kit.Recall(of=1)])
    learner = SimpleNamespace()

    def batch(name, size, training=False):
        learner.training, learner.batch_size = training, size
        learner.predicted = case.tensor(f"scores {name}", (size, 2))
        learner.targets = case.labels(f"classes {name}", size, classes=2)
        learner.loss = learner.predicted.square().mean()
        metrics.after_batch(learner)

    for epoch in ("one", "two"):
        metrics.before_epoch(learner)
        batch(f"trained {epoch}", 3, training=True)
        metrics.before_validate(learner)
        batch(f"first {epoch}", 6)
        learner.predicted = learner.loss = None  # a batch that was cancelled before the model had it
        metrics.after_batch(learner)
        batch(f"last {epoch}", case.integer("items in the last batch", 1, 2))
        metrics.after_validate(learner)
        yield f"validation {epoch}", metrics.values
    other = kit.Metrics()
    other.load_state_dict(metrics.state_dict())
    yield "taken up", other.values
    metrics.before_epoch(learner)
    yield "when the next epoch begins", metrics.values


def _learner(kit, case, name, train, callbacks=()):
    """A learner with a small model and small batches, which shows nothing."""
    import torch

    data = _batches(case, name, train), _batches(case, "valid", (3, 1))
    model = torch.nn.Linear(2, 1)
    torch.nn.init.constant_(model.weight, 0.5)
    torch.nn.init.zeros_(model.bias)
    how = {"optimizer": torch.optim.SGD, "device": case.device}
    callbacks = [kit.Progress("off"), *callbacks]
    return kit.Learner(data, model, torch.nn.functional.mse_loss, callbacks=callbacks, **how)


def _accumulated(kit, case, name, train):
    """After which batches of an epoch there was a step, two batches making one, and the weights then."""
    steps = []

    class Steps(kit.Callback):
        def after_step(self, learner):
            steps.append(learner.batch_number)

    learner = _learner(kit, case, name, train, [Steps()])
    learner.fit(1, rate=0.1, callbacks=[kit.stepping.Accumulate(2)])
    return steps, learner.model.weight.detach()


@check(points=3, lesson="Several batches, one step")
def several_batches_are_one_step(kit, case):
    """The gradient of a group is the mean over its items; what is left when an epoch ends is a group, too."""
    last = case.integer("items in the last batch", 1, 2)
    yield "equal batches", _accumulated(kit, case, "equal", (4, 4, 4, 4))
    yield "one batch left", _accumulated(kit, case, "left", (4, 4, 4, 4, 4))
    yield "a smaller last batch", _accumulated(kit, case, "unequal", (4, last))
    yield "a smaller first batch", _accumulated(kit, case, "turned", (last, 4))


def _trained(kit, case):
    """A learner after three epochs, and what was asked of tensors in its steps."""
    import torch
    from torch.overrides import TorchFunctionMode

    asked = []
    asking = {"item", "tolist", "cpu", "numpy", "nonzero", "equal", "__bool__", "__float__", "__int__"}

    class Questions(TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            name = getattr(function, "__name__", "")
            asked.extend([name] if name in asking else [])
            return function(*args, **(kwargs or {}))

    def watch(mode):
        if case.device == "cuda":
            torch.cuda.set_sync_debug_mode(mode)

    class First(kit.Callback):
        order = -1000

        def before_batch(self, learner):
            watch("error")
            self.questions = Questions()
            self.questions.__enter__()

    class Last(kit.Callback):
        order = 1000

        def after_batch(self, learner):
            first.questions.__exit__(None, None, None)
            watch("default")

        def after_fit(self, learner):
            watch("default")

    first = First()
    learner = _learner(kit, case, "train", (4, 4, 4), [first, Last()])
    rate = case.floats("rate", 1, 0.05, 0.2)[0]
    learner.fit(3, rate, callbacks=[kit.Schedule(kit.one_cycle), kit.stepping.Accumulate(2)])
    return learner, asked


@check(points=2, lesson="Ours")
def a_model_is_trained_without_a_wait(kit, case):
    """Here the library's own `Learner` runs on all of your parts. No step may ask for a tensor's number."""
    learner, asked = _trained(kit, case)
    yield "what it says of other items", learner.predictions(_batches(case, "others", (5,)))[0]
    yield "its rates", learner.recorder.rates
    yield "its losses", [[row["train loss"], row["valid loss"]] for row in learner.recorder.rows]
    yield "asked in a step", asked


METHODS = {
    "run": """
    def run(self):
        try:
            self.emit("before_fit")
            for epoch in range(self.first_epoch, self.epochs):
                self.epoch = epoch
                self.within("epoch", self.one_epoch, CancelEpoch)
        except CancelFit:
            return
        finally:
            self.emit("after_fit")
""",
    "one_epoch": """
    def one_epoch(self):
        self.one_pass("train", self.data.train)
        if self.data.valid is not None:
            self.one_pass("validate", self.data.valid)
""",
    "one_pass": """
    def one_pass(self, name, loader):
        self.set_training(name == "train")
        self.batch_number, self.batch_count = -1, count_batches(loader)
        with torch.set_grad_enabled(self.training):
            self.within(name, lambda: self.all_batches(loader))
""",
    "all_batches": """
    def all_batches(self, loader):
        for number, batch in enumerate(loader, start=self.first_batch):
            self.batch_number, (self.inputs, self.targets) = number, self.read_batch(batch)
            self.predicted = self.loss = None
            self.within("batch", self.step, CancelBatch)
""",
    "step": """
    def step(self):
        self.outputs = self.call_model(self.inputs)
        self.predicted = find_predictions(self.outputs)
        self.emit("after_predict")
        self.loss = self.compute_loss()
        self.emit("after_loss")
        if self.training:
            self.emit("before_backward")
            self.loss.backward()
            self.emit("after_backward")
            self.emit("before_step")
            self.take_step()
            self.emit("after_step")
            self.optimizer.zero_grad()
""",
    "within": """
    def within(self, name, body, ended_by=()):
        def open_and_go_on():
            self.emit("before_" + name)
            body()

        cancels = []
        for part in (open_and_go_on, lambda: self.emit("after_" + name)):
            try:
                part()
            except Cancel as cancel:
                if not isinstance(cancel, ended_by):
                    cancels.append(cancel)
        raise_widest(cancels)
""",
    "emit": """
    def emit(self, event):
        cancels = []
        for handler in self.handlers[event]:
            try:
                handler(self)
            except Cancel as cancel:
                cancels.append(cancel)
        raise_widest(cancels)
""",
    "set_training": """
    def set_training(self, training):
        self.training = training
        self.model.train(training)
""",
    "one line each": """
    def read_batch(self, batch):
        return batch

    def call_model(self, inputs):
        return self.model(inputs)

    def compute_loss(self):
        return self.loss_function(self.predicted, self.targets)

    def take_step(self):
        self.optimizer.step()
""",
}


def _loop_with(before="", after="", **methods):
    """A good `Loop` with one method written anew, or with a piece of its text written otherwise."""
    fields = "epochs = first_epoch = first_batch = epoch = 0\n    training = False\n    batch_number = -1"
    text = f"class Loop:\n    {fields}\n" + "".join({**METHODS, **methods}.values())
    assert before in text, before
    return {"loop.Loop": text.replace(before, after) if before else text}


def _metrics(*measuring, begins="one.reset()"):
    """A `Metrics` that measures a batch by these lines."""
    lines = "\n        ".join(measuring)
    return {
        "callbacks.Metrics": f"""
class Metrics(Callback):
    order = -20

    def __init__(self, metrics=()):
        self.loss, self.metrics = Average("valid loss"), [_as_metric(one) for one in metrics]
        self.values = {{}}

    def before_epoch(self, learner):
        self.values = {{}}

    def before_validate(self, learner):
        for one in [self.loss, *self.metrics]:
            {begins}

    def after_batch(self, learner):
        {lines}

    def after_validate(self, learner):
        self.values = {{one.name: one.value() for one in [self.loss, *self.metrics]}}

    def state_dict(self):
        return {{"values": self.values}}

    def load_state_dict(self, state):
        self.values = state["values"]
"""
    }


ONLY = "if learner.training or learner.loss is None: return"
LOSS = "self.loss.add(learner.loss, learner.batch_size)"
EACH = "for metric in self.metrics: metric.update(learner.predicted, learner.targets)"


def _schedule(*lines, only="if learner.training:", number="learner.batch_number"):
    """A `Schedule` that sets the rates by these lines."""
    body = "\n            ".join(lines)
    return {
        "callbacks.Schedule": f"""
class Schedule(Callback):
    order = -30

    def __init__(self, function):
        self.function, self.peaks = function, []

    def before_fit(self, learner):
        self.peaks = [group["lr"] for group in learner.optimizer.param_groups]

    def state_dict(self):
        return {{"peaks": self.peaks}}

    def load_state_dict(self, state):
        self.peaks = state["peaks"]

    def before_batch(self, learner):
        {only}
            part = {number} / learner.batch_count if learner.batch_count else 0.5
            factor = self.function(min((learner.epoch + part) / learner.epochs, 1))
            {body}
"""
    }


GROUPS = "for group, peak in zip(learner.optimizer.param_groups, self.peaks): group['lr'] = factor * peak"


def _accumulate(weigh, divide, left=True, order=0, counted="learner.batch_number + 1"):
    """An `Accumulate` that weighs the loss of a batch, and divides gradients before a step."""
    done = "done % self.batches == 0" + (" or done == learner.batch_count" if left else "")
    return {
        "stepping.Accumulate": f"""
class Accumulate(Callback):
    order = {order}

    def __init__(self, batches):
        self.batches, self.items = batches, 0

    def before_fit(self, learner):
        self.items = 0

    def before_backward(self, learner):
        self.items += learner.batch_size
        learner.loss = {weigh}

    def after_backward(self, learner):
        done = {counted}
        if not ({done}):
            raise CancelBatch

    def before_step(self, learner):
        scale_gradients(learner.model, {divide})
        self.items = 0

    def state_dict(self):
        return {{"items": self.items}}

    def load_state_dict(self, state):
        self.items = state["items"]
"""
    }


wrong = [
    Wrong(
        "asks every callback at every event",
        _loop_with(
            emit="""
    def emit(self, event):
        for callback in self.callbacks:
            if hasattr(callback, event):
                getattr(callback, event)(self)
"""
        ),
        caught_by=events_come_in_their_order,
        says="The loop knows no callbacks, only `self.handlers[event]`: they were found before the fit.",
    ),
    Wrong(
        "forgets the event before the step",
        _loop_with('            self.emit("before_step")\n'),
        caught_by=events_come_in_their_order,
        says="Between `after_backward` and the step is `before_step`, where gradients are clipped.",
    ),
    Wrong(
        "begins with the first epoch always",
        _loop_with("range(self.first_epoch, self.epochs)", "range(self.epochs)"),
        caught_by=events_come_in_their_order,
        says="A fit that is taken up begins at `self.first_epoch`, which a callback may set in `before_fit`.",
    ),
    Wrong(
        "expects something to validate on",
        _loop_with(
            "        if self.data.valid is not None:\n            self.one_pass", "        self.one_pass"
        ),
        caught_by=events_come_in_their_order,
        says="There may be nothing to validate on: `self.data.valid` is None then.",
    ),
    Wrong(
        "keeps the batch before in mind",
        _loop_with("            self.predicted = self.loss = None\n"),
        caught_by=events_come_in_their_order,
        says="A batch began with the predictions and the loss of the one before: set both to None first.",
    ),
    Wrong(
        "takes the answer for the predictions",
        _loop_with("find_predictions(self.outputs)", "self.outputs"),
        caught_by=events_come_in_their_order,
        says="A model may answer with a dictionary: `find_predictions(self.outputs)` finds the scores in it.",
    ),
    Wrong(
        "goes past what others override",
        _loop_with("self.take_step()\n            self", "self.optimizer.step()\n            self"),
        caught_by=events_come_in_their_order,
        says="You stepped with the optimizer directly, so nobody can put another step in its place: "
        "`self.take_step()`.",
    ),
    Wrong(
        "lets the first cancel silence the others",
        _loop_with(
            emit="""
    def emit(self, event):
        for handler in self.handlers[event]:
            handler(self)
"""
        ),
        caught_by=a_cancel_ends_its_part_and_no_more,
        says="One handler cancelled, and those behind it did not hear the event: call all, then raise.",
    ),
    Wrong(
        "leaves parts without their end",
        _loop_with(
            within="""
    def within(self, name, body, ended_by=()):
        try:
            self.emit(f"before_{name}")
            body()
            self.emit(f"after_{name}")
        except ended_by:
            pass
"""
        ),
        caught_by=a_cancel_ends_its_part_and_no_more,
        says="What was begun was not ended: after a cancel, too, each part that has begun has its `after_`.",
    ),
    Wrong(
        "stops every cancel at the innermost part",
        _loop_with("not isinstance(cancel, ended_by)", "not ended_by"),
        caught_by=a_cancel_ends_its_part_and_no_more,
        says="A cancel that means a larger part has to go on: `within` stops only what it is `ended_by`.",
    ),
    Wrong(
        "takes an error for a cancel",
        _loop_with("except CancelFit:", "except Exception:"),
        caught_by=errors_arrive_as_they_are,
        says="`except Exception` swallows mistakes as well: nothing was learned, and nobody is told.",
    ),
    Wrong(
        "ends nothing after an error",
        _loop_with(
            "            return\n        finally:\n            self.emit",
            "            pass\n        self.emit",
        ),
        caught_by=errors_arrive_as_they_are,
        says="After an error `after_fit` has to be heard all the same: that is what `finally` is for.",
    ),
    Wrong(
        "looks in training mode",
        _loop_with("        self.model.train(training)\n"),
        caught_by=validation_only_looks,
        says="The model was in training mode while it was measured: `self.model.train(training)` sets it.",
    ),
    Wrong(
        "keeps gradients in validation",
        _loop_with("with torch.set_grad_enabled(self.training):", "if True:"),
        caught_by=validation_only_looks,
        says="Validation needs no gradients, and they cost memory: `torch.set_grad_enabled(self.training)`.",
    ),
    Wrong(
        "gives the loss its arguments the other way round",
        _loop_with("(self.predicted, self.targets)", "(self.targets, self.predicted)"),
        caught_by=validation_only_looks,
        says="Predictions first, then targets: `self.loss_function(self.predicted, self.targets)`.",
    ),
    Wrong(
        "multiplies what it has multiplied",
        _schedule("for group in learner.optimizer.param_groups: group['lr'] *= factor"),
        caught_by=a_schedule_sets_every_rate,
        says="The factor is of the rate before the first batch; you multiplied what it had become by then.",
    ),
    Wrong(
        "sets all rates alike",
        _schedule("for group in learner.optimizer.param_groups: group['lr'] = factor * self.peaks[0]"),
        caught_by=a_schedule_sets_every_rate,
        says="Each parameter group has a rate of its own: keep all of them, and go through both lists.",
    ),
    Wrong(
        "sets the first rate only",
        _schedule("learner.optimizer.param_groups[0]['lr'] = factor * self.peaks[0]"),
        caught_by=a_schedule_sets_every_rate,
        says="Only the first group's rate follows the schedule: go through all of `param_groups`.",
    ),
    Wrong(
        "is a batch ahead",
        _schedule(GROUPS, number="(learner.batch_number + 1)"),
        caught_by=a_schedule_sets_every_rate,
        says="The first batch has progress 0: what counts is how many batches are done before it.",
    ),
    Wrong(
        "sets rates while it validates",
        _schedule(GROUPS, only="if True:"),
        caught_by=a_schedule_sets_every_rate,
        says="Validation has batches as well, numbered from 0: only those of training have a rate.",
    ),
    Wrong(
        "takes the mean of means",
        _metrics(ONLY, "self.loss.add(learner.loss, 1)", EACH),
        caught_by=every_item_counts_once,
        says="Each batch had the same say, whatever its size: count it `learner.batch_size` times.",
    ),
    Wrong(
        "counts what was cancelled",
        _metrics("if learner.training: return", LOSS, EACH),
        caught_by=every_item_counts_once,
        says="A batch that was cancelled early has no loss and no predictions, but None: leave it out.",
    ),
    Wrong(
        "goes on from the last validation",
        _metrics(ONLY, LOSS, EACH, begins="pass"),
        caught_by=every_item_counts_once,
        says="What was measured in the epoch before is still in it: `reset()` all before each validation.",
    ),
    Wrong(
        "divides by the number of batches",
        _accumulate("learner.loss / self.batches", "1"),
        caught_by=several_batches_are_one_step,
        says="You divided by a number of batches. It is items that count, and some batches have fewer.",
    ),
    Wrong(
        "adds up and does not divide",
        _accumulate("learner.loss", "1"),
        caught_by=several_batches_are_one_step,
        says="The gradients of a group were added and never divided, so its step is that much too long.",
    ),
    Wrong(
        "forgets what is left",
        _accumulate("learner.loss * learner.batch_size", "1 / self.items", left=False),
        caught_by=several_batches_are_one_step,
        says="What was left at the end of the epoch had no step: look whether the batch is the last.",
    ),
    Wrong(
        "steps a batch too early",
        _accumulate("learner.loss * learner.batch_size", "1 / self.items", counted="learner.batch_number"),
        caught_by=several_batches_are_one_step,
        says="Batches are numbered from 0: when batch 1 is done there are two of them.",
    ),
    Wrong(
        "changes the loss before it is recorded",
        _accumulate("learner.loss * learner.batch_size", "1 / self.items", order=-50),
        caught_by=a_model_is_trained_without_a_wait,
        says="You changed `learner.loss` before the recorder, of order -10, had seen it: come later, or "
        "scale gradients.",
    ),
    Wrong(
        "asks for the loss of every batch",
        _metrics(ONLY, "self.loss.add(learner.loss.item(), learner.batch_size)", EACH),
        caught_by=a_model_is_trained_without_a_wait,
        says="`.item()` in a batch event waits for the device each time: give `Average` the tensor.",
    ),
    Wrong(
        "never clears gradients",
        _loop_with("            self.optimizer.zero_grad()\n"),
        caught_by=a_model_is_trained_without_a_wait,
        says="Gradients of all steps were added up: the last line of a step is `self.optimizer.zero_grad()`.",
    ),
]

right = [
    Right(
        "written in another way",
        {
            **_loop_with(),
            **_metrics(ONLY, LOSS, EACH),
            **_schedule(GROUPS),
            **_accumulate("learner.loss * learner.batch_size", "1 / self.items"),
        },
    ),
]
