-- A grade book, format 2. Rows are only ever added: the triggers at the end see to that.
-- Times are UTC, as ISO 8601 text. `application_id` and `user_version` say whose file this is and its format.

-- One grading run: the secret that all its inputs follow from, and where and with what it was made.
CREATE TABLE runs (
    run INTEGER PRIMARY KEY,
    purpose TEXT NOT NULL CHECK (purpose IN ('grade', 'regrade')),
    secret TEXT NOT NULL,          -- a hexadecimal number
    coursekit TEXT NOT NULL,
    python TEXT NOT NULL,
    torch TEXT NOT NULL,
    devices TEXT NOT NULL,
    seconds REAL NOT NULL,         -- the wall clock of one check
    machine TEXT NOT NULL,
    unprotected TEXT NOT NULL,     -- what was missing of the sandbox; '' when nothing was
    began TEXT NOT NULL
) STRICT;

-- The runs that came to their end; one that did not is gone on with.
CREATE TABLE endings (
    run INTEGER PRIMARY KEY REFERENCES runs,
    ended TEXT NOT NULL
) STRICT;

-- What was handed in, each content once: JSON of module to source text, compressed by zlib.
CREATE TABLE contents (
    sha256 TEXT PRIMARY KEY,
    files BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What is compared to see who wrote alike: JSON of definition to the numbers of its pieces, compressed by zlib.
CREATE TABLE fingerprints (
    sha256 TEXT NOT NULL REFERENCES contents,
    word TEXT NOT NULL,
    way TEXT NOT NULL,             -- how it was read; what was read in another way is read again
    pieces BLOB NOT NULL,
    PRIMARY KEY (sha256, word, way)
) STRICT, WITHOUT ROWID;

CREATE TABLE submissions (
    submission INTEGER PRIMARY KEY,
    word TEXT NOT NULL,            -- the exercise; '' where it could not be told
    learner TEXT NOT NULL,
    sha256 TEXT NOT NULL REFERENCES contents,
    received TEXT NOT NULL,        -- when it was handed in; '' where that is not known
    marked_late INTEGER NOT NULL,  -- 1 where the learning-management system called it late
    came TEXT NOT NULL,            -- when it came into this book
    origin TEXT NOT NULL,          -- where it lay
    notes TEXT NOT NULL,           -- what was left out or doubtful: a JSON list of sentences
    UNIQUE (word, learner, sha256, received)
) STRICT;

CREATE TABLE grades (
    grade INTEGER PRIMARY KEY,
    submission INTEGER NOT NULL REFERENCES submissions,
    run INTEGER NOT NULL REFERENCES runs,
    checks TEXT NOT NULL,          -- the version of the exercise that it was graded by
    outcome TEXT NOT NULL CHECK (outcome IN ('graded', 'refused', 'ours')),
    points INTEGER NOT NULL,
    "of" INTEGER NOT NULL,
    report TEXT NOT NULL,          -- JSON; '' where there is none
    sentence TEXT NOT NULL,        -- why it was not graded; '' where it was
    seconds REAL NOT NULL,
    graded TEXT NOT NULL,
    CHECK (points BETWEEN 0 AND "of" AND (outcome = 'graded' OR points = 0))
) STRICT;

-- A submission has one result in a run. Failures of the grader's own are none, and may come before it.
CREATE UNIQUE INDEX one_result ON grades (submission, run, checks) WHERE outcome <> 'ours';
CREATE INDEX grades_of ON grades (submission);

CREATE TABLE overrides (
    override INTEGER PRIMARY KEY,
    word TEXT NOT NULL,
    learner TEXT NOT NULL,
    points REAL,                   -- NULL takes the override before it back
    why TEXT NOT NULL CHECK (why <> ''),
    who TEXT NOT NULL CHECK (who <> ''),
    given TEXT NOT NULL
) STRICT;
CREATE INDEX overrides_of ON overrides (word, learner);

-- The rules of each exercise, as JSON; the newest count.
CREATE TABLE rules (
    rules INTEGER PRIMARY KEY,
    word TEXT NOT NULL,
    said TEXT NOT NULL,
    given TEXT NOT NULL
) STRICT;

CREATE TRIGGER runs_update BEFORE UPDATE ON runs
    BEGIN SELECT RAISE (ABORT, 'a grade book keeps all it was told'); END;
CREATE TRIGGER runs_delete BEFORE DELETE ON runs
    BEGIN SELECT RAISE (ABORT, 'a grade book keeps all it was told'); END;
CREATE TRIGGER endings_update BEFORE UPDATE ON endings
    BEGIN SELECT RAISE (ABORT, 'a grade book keeps all it was told'); END;
CREATE TRIGGER endings_delete BEFORE DELETE ON endings
    BEGIN SELECT RAISE (ABORT, 'a grade book keeps all it was told'); END;
CREATE TRIGGER contents_update BEFORE UPDATE ON contents
    BEGIN SELECT RAISE (ABORT, 'a grade book keeps all it was told'); END;
CREATE TRIGGER contents_delete BEFORE DELETE ON contents
    BEGIN SELECT RAISE (ABORT, 'a grade book keeps all it was told'); END;
CREATE TRIGGER fingerprints_update BEFORE UPDATE ON fingerprints
    BEGIN SELECT RAISE (ABORT, 'a grade book keeps all it was told'); END;
CREATE TRIGGER fingerprints_delete BEFORE DELETE ON fingerprints
    BEGIN SELECT RAISE (ABORT, 'a grade book keeps all it was told'); END;
CREATE TRIGGER submissions_update BEFORE UPDATE ON submissions
    BEGIN SELECT RAISE (ABORT, 'a grade book keeps all it was told'); END;
CREATE TRIGGER submissions_delete BEFORE DELETE ON submissions
    BEGIN SELECT RAISE (ABORT, 'a grade book keeps all it was told'); END;
CREATE TRIGGER grades_update BEFORE UPDATE ON grades
    BEGIN SELECT RAISE (ABORT, 'a grade book keeps all it was told'); END;
CREATE TRIGGER grades_delete BEFORE DELETE ON grades
    BEGIN SELECT RAISE (ABORT, 'a grade book keeps all it was told'); END;
CREATE TRIGGER overrides_update BEFORE UPDATE ON overrides
    BEGIN SELECT RAISE (ABORT, 'a grade book keeps all it was told'); END;
CREATE TRIGGER overrides_delete BEFORE DELETE ON overrides
    BEGIN SELECT RAISE (ABORT, 'a grade book keeps all it was told'); END;
CREATE TRIGGER rules_update BEFORE UPDATE ON rules
    BEGIN SELECT RAISE (ABORT, 'a grade book keeps all it was told'); END;
CREATE TRIGGER rules_delete BEFORE DELETE ON rules
    BEGIN SELECT RAISE (ABORT, 'a grade book keeps all it was told'); END;

-- Since format 2: the class list, as it was last given: JSON, a list of each person's names.
CREATE TABLE rosters (
    roster INTEGER PRIMARY KEY,
    said TEXT NOT NULL,
    given TEXT NOT NULL
) STRICT;
CREATE TRIGGER rosters_update BEFORE UPDATE ON rosters
    BEGIN SELECT RAISE (ABORT, 'a grade book keeps all it was told'); END;
CREATE TRIGGER rosters_delete BEFORE DELETE ON rosters
    BEGIN SELECT RAISE (ABORT, 'a grade book keeps all it was told'); END;
