-- Tables kept up to date from the copied ones, and the words questions are asked in.

-- The latest annotation of each person on each item; a later skip, flag or withdrawal
-- cancels the vote before it.
CREATE VIEW live AS SELECT * EXCLUDE (superseded, pace_bin) FROM annotations WHERE NOT superseded;

-- What a class was called before, and what it is called now: renamed, or merged into another.
-- Labels are kept as they were given; whatever compares or groups them reads them through this.
CREATE TABLE class_names (
    project_id BIGINT, question_key VARCHAR, is_main BOOLEAN, name VARCHAR, today VARCHAR
);

-- The names of the first question, whose labels the tables hold.
CREATE VIEW label_names AS SELECT project_id, name, today FROM class_names WHERE is_main;

CREATE VIEW live_votes AS
SELECT l.* REPLACE (coalesce(n.today, l.label) AS label)
FROM live l
LEFT JOIN label_names n ON n.project_id = l.project_id AND n.name = l.label
WHERE l.kind = 'vote';

-- The label in force of each item. `rests_on` holds the people whose word the label is:
-- the voters of an agreed label, the lead of a decided one, nobody for an imported one; one who
-- voted twice may be there twice. The item is in its state `since` then.
CREATE TABLE final (
    seq BIGINT, project_id BIGINT, item_id BIGINT, state VARCHAR, label VARCHAR,
    rests_on BIGINT[], rests_on_model BOOLEAN, since DOUBLE, use VARCHAR
);

CREATE VIEW gold AS SELECT * EXCLUDE (newest) FROM gold_answers WHERE newest;

CREATE VIEW latest_prediction AS SELECT * EXCLUDE (newest) FROM predictions WHERE newest;

-- Metadata in long form, of the latest document of each item, whose number is `seq`. `number` is
-- set where the value is a finite number or text that reads as one.
CREATE TABLE item_values (
    seq BIGINT, project_id BIGINT, item_id BIGINT, key VARCHAR, value VARCHAR, number DOUBLE
);

-- The boxes of every answer that has any; `said_in` names the table, `seq` its row.
CREATE TABLE regions (
    said_in VARCHAR, seq BIGINT, place BIGINT, label VARCHAR,
    x1 DOUBLE, y1 DOUBLE, x2 DOUBLE, y2 DOUBLE, confidence DOUBLE
);

-- `copied` is a document: the last sequence number of each table.
CREATE TABLE replica_state (format BIGINT, audit_seq BIGINT, audit_hash VARCHAR, copied VARCHAR);

-- Items of a project that a filter leaves. `keys` and `vals` are metadata columns and the
-- values they must have, NULL for "has none".
CREATE MACRO chosen_items(project, uses, keys, vals) AS TABLE
SELECT id AS item_id
FROM items
WHERE project_id = project
  AND (len(uses) = 0 OR list_contains(uses, use))
  AND (len(keys) = 0 OR id IN (
      SELECT i.id
      FROM items i
      CROSS JOIN (SELECT unnest(keys) AS key, unnest(vals) AS value) wanted
      LEFT JOIN item_values v ON v.item_id = i.id AND v.key = wanted.key
      WHERE i.project_id = project AND v.value IS NOT DISTINCT FROM wanted.value
      GROUP BY i.id
      HAVING count(*) = len(keys)
  ));

-- What is held to be true of each item, under one of four references.
CREATE MACRO truths(project, against) AS TABLE
SELECT
    'final_labels' AS said_in, f.seq, f.item_id, coalesce(n.today, f.label) AS label,
    f.rests_on, f.rests_on_model
FROM final f
LEFT JOIN label_names n ON n.project_id = project AND n.name = f.label
WHERE against <> 'gold'
  AND f.project_id = project
  AND state IN ('imported', 'auto-accepted', 'agreed', 'adjudicated')
  AND (against <> 'adjudicated' OR state = 'adjudicated')
  AND (against <> 'evaluate' OR f.use = 'evaluate')
UNION ALL
SELECT 'gold_answers', g.seq, g.item_id, coalesce(n.today, g.label), []::BIGINT[], false
FROM gold g
LEFT JOIN label_names n ON n.project_id = project AND n.name = g.label
WHERE against = 'gold' AND g.project_id = project;

-- What a model, or people, said of each item. `who` is the person, NULL for a model.
CREATE MACRO statements(project, whose, people, set_id_wanted, blind_only, since, until_) AS TABLE
SELECT 'annotations' AS said_in, seq, item_id, person_id AS who, label
FROM live_votes
WHERE whose = 'people'
  AND project_id = project
  AND (len(people) = 0 OR list_contains(people, person_id))
  AND NOT (blind_only AND prelabel_shown)
  AND (since IS NULL OR "at" >= since)
  AND (until_ IS NULL OR "at" < until_)
UNION ALL
SELECT 'predictions', p.seq, p.item_id, NULL, coalesce(n.today, p.label)
FROM (
    FROM latest_prediction WHERE set_id_wanted IS NULL
    UNION ALL
    SELECT * EXCLUDE (newest) FROM predictions WHERE set_id = set_id_wanted
) p
JOIN prediction_sets s ON s.id = p.set_id
LEFT JOIN label_names n ON n.project_id = project AND n.name = p.label
WHERE whose = 'model'
  AND p.project_id = project
  AND (since IS NULL OR s."at" >= since)
  AND (until_ IS NULL OR s."at" < until_);

-- Statement beside truth. `own` says that the truth rests on that very statement.
CREATE MACRO all_pairs(project, whose, people, against, set_id_wanted, blind_only, since, until_) AS TABLE
SELECT
    s.item_id, s.who, s.label AS said, t.label AS truth,
    s.said_in, s.seq AS said_seq, t.said_in AS truth_in, t.seq AS truth_seq,
    CASE WHEN whose = 'model' THEN t.rests_on_model
         ELSE list_contains(t.rests_on, s.who) END AS own
FROM statements(project, whose, people, set_id_wanted, blind_only, since, until_) s
JOIN truths(project, against) t ON t.item_id = s.item_id;

-- The same of items that a filter leaves. Where none is given, `all_pairs` is asked instead.
CREATE MACRO pairs(
    project, whose, people, against, set_id_wanted, blind_only, since, until_, uses, keys, vals
) AS TABLE
FROM all_pairs(project, whose, people, against, set_id_wanted, blind_only, since, until_)
WHERE item_id IN (SELECT item_id FROM chosen_items(project, uses, keys, vals));
